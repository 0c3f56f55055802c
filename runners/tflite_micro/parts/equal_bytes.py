"""The same file and the same inputs in two interpreters: how many bytes of the answers are equal.

LiteRT has three sets of kernels for one operation: reference ones, optimized ones of its own, and
XNNPACK's. That they answer differently for one int8 file is within what its format allows.
"""

from __future__ import annotations

from typing import Any, List, Tuple

from ai_edge_litert.interpreter import Interpreter, OpResolverType

from runners.failures import Unsupported, first_line
from runners.inference import Array
from runners.job import Job
from runners.tflite_micro.parts.arena import opened
from runners.tflite_micro.parts.byte_difference import NONE, Difference, difference
from runners.tflite_micro.parts.tflite_model import TfliteModel

COMPARED_IMAGES = 32
INNER_IMAGES = 4
_KERNELS = (
    ("LiteRT reference kernels", OpResolverType.BUILTIN_REF),
    ("LiteRT built-in kernels", OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES),
    ("XNNPACK", OpResolverType.AUTO),
)
INSIDE = "inside"
"""The end of a label for all results inside the model."""


def record_equal_bytes(job: Job, model: TfliteModel, inputs: List[Array]) -> None:
    """Record ``equal_bytes`` against each set of kernels; ``inputs`` are in its own type."""
    interpreter = opened(model)
    ours = [_ours(interpreter, batch) for batch in inputs[:COMPARED_IMAGES]]
    for label, kernels in _KERNELS:
        try:
            theirs = _litert(model, kernels)
        except (ValueError, RuntimeError) as error:
            reason = first_line(error)
            job.record("equal_bytes", [None], label, len(ours), reason=f"LiteRT: {reason}")
            continue
        why = _why_not(theirs, kernels)
        found = NONE
        for batch, answer in zip(inputs, ours if not why else []):
            _invoke(theirs, batch)
            found = found.plus(difference(answer, theirs.get_tensor(model.exit.number)))
        _record(job, label, found, len(ours), "the answers", why)
    _record_inside(job, model, inputs[:INNER_IMAGES])


def _why_not(interpreter: Any, kernels: Any) -> str:
    names = [found["op_name"] for found in interpreter._get_ops_details()]
    if kernels is OpResolverType.AUTO and "DELEGATE" not in names:
        return "XNNPACK took no operation of this file"
    return ""


def _record(job: Job, label: str, found: Difference, images: int, what: str, why: str = "") -> None:
    told = f"{found.equal:,} of {found.total:,} bytes of {what}, at most {found.largest:g} apart"
    share = found.equal / found.total if found.total else None
    why = why or ("" if found.total else "nothing could be compared")
    job.record("equal_bytes", [share], label, images, "" if why else told, why)


def _record_inside(job: Job, model: TfliteModel, inputs: List[Array]) -> None:
    """The results of all operations, where both keep them: what XNNPACK fuses can't be seen."""
    try:
        interpreter = opened(model, every_tensor=True)
    except Unsupported as refusal:
        job.warn(f"the results inside the model are not compared: {refusal}")
        return
    for label, kernels in _KERNELS[:2]:
        found, first = _inside(interpreter, _litert(model, kernels, True), model, inputs)
        what = f"all results ({'first apart: ' + first if first else 'none is apart'})"
        _record(job, f"{label} {INSIDE}", found, len(inputs), what)


def _inside(
    ours: Any, theirs: Any, model: TfliteModel, inputs: List[Array]
) -> Tuple[Difference, str]:
    """Of every operation's first result, and the first operation with a difference."""
    whole, apart = NONE, len(model.operations)
    for batch in inputs:
        ours.set_input(batch, 0)
        ours.invoke()
        _invoke(theirs, batch)
        for place, operation in enumerate(model.operations):
            index = operation.outputs[0].number
            mine, other = ours.GetTensor(index, 0)["tensor_data"], theirs.get_tensor(index)
            found = difference(mine.reshape(other.shape), other)
            whole = whole.plus(found)
            if found.equal < found.total:
                apart = min(apart, place)
    if apart == len(model.operations):
        return whole, ""
    return whole, f"operation {apart}, {model.operations[apart].name}"


def _ours(interpreter: Any, batch: Array) -> Array:
    interpreter.set_input(batch, 0)
    interpreter.invoke()
    return interpreter.get_output(0)


def _litert(model: TfliteModel, kernels: Any, every_tensor: bool = False) -> Any:
    interpreter = Interpreter(
        model_content=model.content,
        num_threads=1,
        experimental_op_resolver_type=kernels,
        experimental_preserve_all_tensors=every_tensor,
    )
    interpreter.allocate_tensors()
    return interpreter


def _invoke(interpreter: Any, batch: Array) -> None:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], batch)
    interpreter.invoke()
