"""The converted file: which operations it executes, and in what they compute."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, Dict, List, Tuple

from tensorflow.lite.python import schema_py_generated as schema

from runners.failures import DamagedInput
from runners.precision_proof import Operation

BINARY = "LceBconv2d"
"""The engine's convolution of packed bits: exclusive or, and counting."""
_COMPUTE = {"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "BATCH_MATMUL"}


def _names(table: Any) -> Dict[int, str]:
    return {value: name for name, value in vars(table).items() if isinstance(value, int)}


def operations(content: bytes) -> List[Operation]:
    """What one call of the file executes, by name and type.

    Raises DamagedInput for what is no such file.
    """
    try:
        model = schema.Model.GetRootAs(content, 0)
        graph = model.Subgraphs(0)
        found = [_operation(model, graph, index) for index in range(graph.OperatorsLength())]
    except Exception as error:
        raise DamagedInput(f"the converted file can't be read: {error!r}") from error
    counts: Dict[Tuple[str, Any], int] = OrderedDict()
    for key in found:
        counts[key] = counts.get(key, 0) + 1
    return [Operation(name, kind, count) for (name, kind), count in counts.items()]


def _operation(model: Any, graph: Any, index: int) -> Tuple[str, Any]:
    operator = graph.Operators(index)
    code = model.OperatorCodes(operator.OpcodeIndex())
    custom = code.CustomCode()
    if custom:
        name = custom.decode("ascii")
        return name, "binary" if name == BINARY else None
    name = _names(schema.BuiltinOperator)[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
    if name not in _COMPUTE:
        return name, None
    kind = _names(schema.TensorType)[graph.Tensors(operator.Inputs(0)).Type()]
    return name, kind.lower()
