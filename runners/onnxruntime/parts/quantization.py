"""Static and dynamic quantization by onnxruntime.quantization.

Static: BatchNorm folded first, weights per channel and symmetric, activations per tensor. The
preprocessing of keras.applications' networks stays float32, so that what is quantized first is what
every framework quantizes first. A processor without VNNI adds products of 8 bits in 16, which
overflow: there the weights have 7 bits, as the library asks for.
"""

from __future__ import annotations

import platform
import tempfile
from pathlib import Path
from typing import Any, List, NamedTuple

from onnxruntime.quantization import (
    QuantFormat,
    QuantType,
    quant_pre_process,
    quantize_dynamic,
    quantize_static,
)

from runners.failures import NothingQuantized
from runners.job import Job
from runners.machine import machine
from runners.onnx_models.onnx_graph import PREPROCESSING, node_names, operators_of
from runners.onnxruntime.parts.calibration import METHODS, calibrate
from runners.onnxruntime.parts.models import float_model, save_model
from runners.onnxruntime.parts.refusals import refusals

FORMATS = {"qdq": QuantFormat.QDQ, "qoperator": QuantFormat.QOperator}
TYPES = {"s8": QuantType.QInt8, "u8": QuantType.QUInt8}
_QUANTIZING = ("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")


class Scheme(NamedTuple):
    """``form``: pairs of Q/DQ nodes around float operators (``qdq``), or integer operators.

    ``activations`` and ``weights``: ``u8`` or ``s8``. ``symmetric``: activations have no zero
    point; weights never have one.
    """

    form: str
    activations: str
    weights: str
    symmetric: bool = False


def make_static(job: Job, scheme: Scheme, calibration_images: int) -> Path:
    """Quantize the float model by what training images make of its tensors.

    Records ``calibration_s`` and ``convert_s``, folding and quantizing. Raises Unsupported.
    """
    with tempfile.TemporaryDirectory(dir=str(job.folder)) as name:
        folder = Path(name)
        prepared = _prepared(job, folder)
        calibrate(job, prepared, calibration_images, folder / "ranges.json")
        with job.phase("convert"), refusals():
            quantize_static(
                prepared,
                folder / "quantized.onnx",
                quant_format=FORMATS[scheme.form],
                per_channel=True,
                reduce_range=_reduced(job, scheme),
                activation_type=TYPES[scheme.activations],
                weight_type=TYPES[scheme.weights],
                nodes_to_exclude=node_names(float_model(job), PREPROCESSING),
                calibrate_method=METHODS[job.cell.variant],
                calibration_cache_path=folder / "ranges.json",
                extra_options={"ActivationSymmetric": scheme.symmetric},
            )
        return _saved(job, folder / "quantized.onnx")


def make_dynamic(job: Job) -> Path:
    """Quantize the weights; activations are quantized at each call. Records ``convert_s``.

    Unsigned weights, per tensor: the library has no kernel for other convolutions.
    """
    with tempfile.TemporaryDirectory(dir=str(job.folder)) as name:
        folder = Path(name)
        prepared = _prepared(job, folder)
        with job.phase("convert"), refusals():
            quantize_dynamic(
                prepared,
                folder / "quantized.onnx",
                weight_type=QuantType.QUInt8,
                reduce_range=_reduced(job, Scheme("dynamic", "u8", "u8")),
            )
        return _saved(job, folder / "quantized.onnx")


def _prepared(job: Job, folder: Path) -> Path:
    """The float model with BatchNorm folded and shapes inferred, as the quantizer wants it."""
    path, given = folder / "prepared.onnx", folder / "float.onnx"
    with job.phase("convert"), refusals():
        # Of a model in memory it puts every constant aside, and then can't infer shapes from them.
        given.write_bytes(float_model(job).SerializeToString())
        quant_pre_process(given, path, skip_symbolic_shape=True)
    return path


def _saved(job: Job, path: Path) -> Path:
    """The quantized model, in the cell's folder. Raises Unsupported where nothing is quantized."""
    converting = [phase.seconds for phase in job.phases if phase.name == "convert"]
    job.record("convert_s", [sum(converting)], source="folding BatchNorm, and quantizing")
    refuse_unchanged(operators_of(path))
    return save_model(job, path.read_bytes())


def refuse_unchanged(operators: List[str]) -> None:
    """Raises NothingQuantized for a model in which the quantizer has quantized nothing."""
    if not any(name in _QUANTIZING or "Integer" in name for name in operators):
        raise NothingQuantized(
            "the quantizer returned the float model unchanged: none of its "
            f"{len(operators)} operators is quantized"
        )


def _reduced(job: Job, scheme: Scheme) -> bool:
    """Whether sums of products saturate here; it is recorded."""
    reduced = saturates(platform.machine(), machine().instruction_sets)
    job.settings["reduce_range"] = str(reduced)
    job.settings["quantization"] = f"{scheme.form} {scheme.activations}{scheme.weights}"
    return reduced


def saturates(architecture: str, instruction_sets: List[str]) -> bool:
    """Whether a processor adds products of 8 bits in 16: x86 without VNNI."""
    fast: Any = {"avx512_vnni", "avx_vnni", "amx_int8"}
    return architecture in ("x86_64", "AMD64") and not fast.intersection(instruction_sets)
