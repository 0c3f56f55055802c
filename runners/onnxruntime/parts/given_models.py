"""A person's own ONNX file in ONNX Runtime: loading it without what lies beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
from onnx import version_converter

from runners.failures import Unsupported
from runners.job import Job
from runners.model_file import answer, checked, given_file, profiled_calls, refused_by
from runners.onnx_models.onnx_graph import operators_of
from runners.onnxruntime.parts import proof
from runners.onnxruntime.parts.providers import providers_of
from runners.onnxruntime.parts.sessions import Source, session
from runners.session import Session

RUNTIME = "ONNX Runtime"
_QUANTIZED = frozenset(
    (
        "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv",
        "QLinearMatMul", "ConvInteger", "MatMulInteger",
    )
)  # fmt: skip
_PER_CHANNEL_OPSET = 13
"""The first whose DequantizeLinear has a scale a channel."""


def opened_file(job: Job) -> Path:
    """The file that was given, for the cell's device. Raises Unsupported."""
    providers_of(job)
    path = given_file(job)
    if path.suffix != ".onnx":
        raise Unsupported(f"ONNX Runtime opens .onnx files, and this is a {path.suffix} file")
    return path


def ready(job: Job, model: Source) -> Session:
    """A session that has answered a batch. Raises Unsupported."""
    with job.phase("build"), refused_by(RUNTIME):
        made = session(job, model)
    return checked(job, made, RUNTIME)


def precision_of(path: Path) -> str:
    """What the file says that it computes in."""
    return "int8" if _QUANTIZED.intersection(operators_of(path)) else "float32"


def quantizable(path: Path) -> Any:
    """The model, in an operator set that has what quantizing needs. Raises Unsupported."""
    if precision_of(path) != "float32":
        raise Unsupported("the file is quantized already: it is measured as it is")
    with refused_by(RUNTIME):
        model = onnx.load(str(path), load_external_data=False)
        if _opset(model) < _PER_CHANNEL_OPSET:
            model = version_converter.convert_version(model, _PER_CHANNEL_OPSET)
    return model


def _opset(model: Any) -> int:
    return int(next((one.version for one in model.opset_import if not one.domain), 0))


def finish(job: Job, model: Path, promised: str) -> None:
    """Answers to the test samples, and the proof."""
    made = ready(job, model)
    answer(job, made)
    proof.prove(job, model, promised, profiled_calls(job))
    job.layers = "the tensors inside of a person's own file are not compared"
