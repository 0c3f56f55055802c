"""Whether a claim's test could be evaluated once all planned cells have a number."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from comparisons.claims.run_source import measured_source
from comparisons.comparison import Comparison, Line
from comparisons.sequential.partners import Process
from papers.expressions import Evaluator, ExpressionError, Missing, Node
from papers.published import PublishedTable


def rehearse(
    test: Node,
    constants: Mapping[str, float],
    published: Sequence[PublishedTable],
    comparisons: Sequence[Comparison],
    able: Collection[str],
) -> str:
    """What the test lacks, whatever the cells ``able`` to run will measure; "" where nothing.

    A trend of one batch size, say. Numbers that are not there yet are taken to be 1.
    """
    filled = [
        one._replace(lines=[_filled(line, able) for line in one.lines]) for one in comparisons
    ]
    try:
        Evaluator(measured_source(published, filled), constants).truth(test)
    except (Missing, ExpressionError) as error:
        return str(error)
    return ""


def _filled(line: Line, able: Collection[str]) -> Line:
    cells = [cell for cell in line.cells if cell in able]
    if line.measured is not None or not cells:
        return line
    processes = tuple(Process(cell, repeat, 1.0) for repeat, cell in enumerate(cells))
    return line._replace(measured=1.0, processes=processes)
