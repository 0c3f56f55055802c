"""The language of claims and audits: comparisons of table places, three-valued and without eval.

    table1.reduction[framework=pytorch] >= 75 - tolerance
    every(table6[batch_size>=16], int8 <= fp16)
    every(table2 by model, trend(factor, batch_size) > 0.5)

docs/claims.md has the whole of it.
"""

from papers.expressions.evaluator import Evaluator
from papers.expressions.quantities import Missing, Quantity, Row, Source, Truth
from papers.expressions.syntax import ExpressionError, Node, columns_used, parse, tables_used

__all__ = [
    "Evaluator",
    "ExpressionError",
    "Missing",
    "Node",
    "Quantity",
    "Row",
    "Source",
    "Truth",
    "columns_used",
    "parse",
    "tables_used",
]
