"""Which operators a call of a torch network dispatches, and in which types they compute."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Optional

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from runners.precision_proof import Operation
from runners.session import Session

SIMULATED = "simulated int8"
"""Float arithmetic on dequantized operands: what a compiler makes integers of, if it does."""
_INT8 = re.compile(r"^(quantized|onednn)::(?!.*dequant)|_int_mm|::quantized_|dynamic_quant")
_TYPES = {
    torch.float32: "float32", torch.float64: "float64", torch.bfloat16: "bfloat16",
    torch.float16: "float16", torch.quint8: "int8", torch.qint8: "int8", torch.int8: "int8",
    torch.uint8: "int8",
}  # fmt: skip
_FOLLOWING = re.compile(
    r"::(relu|hardtanh|clamp|hardswish|silu|gelu|leaky_relu|sigmoid|tanh|elu|add)_?$"
)
"""What a compiler takes into the product before it."""
_MOVING = re.compile(r"::(t|transpose|permute|view|_unsafe_view|reshape|expand|clone|flatten"
                     r"|squeeze|unsqueeze|detach|alias|contiguous)_?$")  # fmt: skip
_PRODUCT = re.compile(r"conv|linear|addmm|::mm|bmm|matmul")
_DEQUANTIZING = re.compile(r"^(quantized_decomposed|torchao|pt2e_quant)::dequantize")
"""Of an exported graph alone: elsewhere what comes behind it really computes in float."""
_QUANTIZING = re.compile(r"::quantize_|::dequantize|choose_qparams")
_PLAIN, _BEHIND = "dequantized", "behind a product"


class Watching(TorchDispatchMode):  # type: ignore[misc]
    """Keeps every operator of the calls inside, with the type that it computes in."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: List[Operation] = []
        self._kept: List[torch.Tensor] = []  # or their numbers would be given to others
        self._from: Dict[int, str] = {}

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Optional[Dict[str, Any]] = None
    ) -> Any:
        given = kwargs or {}
        answer = function(*args, **given)
        name = function.name() if hasattr(function, "name") else str(function)
        self._note(name, list(_tensors((args, given))), list(_tensors(answer)))
        return answer

    def _note(self, name: str, inputs: List[torch.Tensor], outputs: List[torch.Tensor]) -> None:
        plain = name.split(".")[0]
        if _DEQUANTIZING.search(name):
            self._mark(outputs, _PLAIN)
            return
        if _QUANTIZING.search(name):
            return
        kind = _kind(plain, inputs) or _kind(plain, outputs)
        if kind is None:
            return
        origin = self._origin(inputs) if kind == "float32" else ""
        if _MOVING.search(plain):
            self._mark(outputs, origin)
        elif origin and (_PRODUCT.search(plain) or _FOLLOWING.search(plain)):
            self._mark(outputs, _BEHIND)
        if origin == _PLAIN or (origin and _FOLLOWING.search(plain)):
            kind = SIMULATED
        self.seen.append(Operation(plain, kind, 1))

    def _origin(self, inputs: List[torch.Tensor]) -> str:
        """Where all of its operands come from; a bias and scalars are float in every kernel."""
        operands = [one for one in inputs if one.dim() > 1 and one.is_floating_point()]
        found = {self._from.get(id(one), "") for one in operands}
        if not found or "" in found:
            return ""
        return _PLAIN if found == {_PLAIN} else _BEHIND

    def _mark(self, outputs: List[torch.Tensor], origin: str) -> None:
        for one in outputs if origin else ():
            self._kept.append(one)
            self._from[id(one)] = origin


def executed(session: Session, inputs: Any) -> List[Operation]:
    """The operators of one call, in their order."""
    with Watching() as watching:
        session.call(inputs)
    seen: List[Operation] = watching.seen
    return seen


def _kind(name: str, tensors: List[torch.Tensor]) -> Optional[str]:
    """The type of the first tensor that holds numbers; 8 bits where the operator's name says so."""
    if _INT8.search(name):
        return "int8"
    kinds = [_TYPES[one.dtype] for one in tensors if one.dtype in _TYPES]
    return kinds[0] if kinds else None


def _tensors(given: Any) -> Iterator[torch.Tensor]:
    if isinstance(given, torch.Tensor):
        yield given
    elif isinstance(given, (list, tuple)):
        for one in given:
            yield from _tensors(one)
    elif isinstance(given, dict):
        yield from _tensors(list(given.values()))
