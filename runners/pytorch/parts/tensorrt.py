"""Torch-TensorRT engines, and Q/DQ nodes from NVIDIA's ModelOpt for int8.

Written against torch_tensorrt 2.x (``dynamo.compile``) and modelopt 0.x; both APIs change with
TensorRT, so that what they accept is looked up and what they refuse becomes ``unsupported``.
"""

from __future__ import annotations

import inspect
import re
from typing import Any, Callable, Dict, Optional, Tuple

import torch
from torch import nn

from runners.data import batches
from runners.failures import Unsupported, first_line
from runners.inference import Session, infer_recipe
from runners.job import Job
from runners.pytorch.parts.compiled import Autocast, black_batch, channels_last
from runners.pytorch.parts.memory import record_growth, used_bytes, watching_allocator
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.refusals import refusals_of
from runners.pytorch.parts.sessions import placing, session
from runners.pytorch.parts.steps import begin_on_gpu, time_session

_FIRST_WITH_EXPLICIT_INT8 = (2, 8)
NO_LAYERS = "TensorRT keeps the tensors between layers inside its engines"
Export = Callable[[nn.Module, torch.Tensor], Any]


def time_engine(job: Job, promised: str, dtype: torch.dtype, tf32: bool = False) -> None:
    """A whole inference cell in float32, TF32 or float16. Raises Unsupported without TensorRT."""
    device = begin_on_gpu(job, tf32)
    library = _imported("torch_tensorrt")
    before = used_bytes(device)

    def build() -> nn.Module:
        with job.phase("build"):
            model: nn.Module = trained_model(job)
            if dtype != torch.float32:
                model = Autocast(model, device, dtype)
            return channels_last(model.eval(), device)

    options = options_of(library, dtype, tf32)
    _time(job, device, _built(job, library, build, device, options, _export), promised, before)


def time_int8_engine(job: Job) -> None:
    """The same in int8: Q/DQ nodes placed and calibrated by ModelOpt."""
    device = begin_on_gpu(job)
    library = _imported("torch_tensorrt")
    modelopt = _imported("modelopt.torch.quantization")
    exporting = _imported("modelopt.torch.quantization.utils")
    before = used_bytes(device)

    def build() -> nn.Module:
        with job.phase("build"):
            model = channels_last(trained_model(job), device)
            # Compiled at its first use, which would else be timed as calibration.
            _imported("modelopt.torch.quantization.extensions").get_cuda_ext()
        with job.phase("calibrate"):
            show = _calibration(job, device)
            quantized: nn.Module = modelopt.quantize(model, modelopt.INT8_DEFAULT_CFG, show)
        job.record("calibration_s", [job.last_phase_s("calibrate")])
        return quantized

    def export(quantized: nn.Module, inputs: torch.Tensor) -> Any:
        with exporting.export_torch_mode():
            return _export(quantized, inputs)

    options = options_of(library, torch.int8)
    _time(job, device, _built(job, library, build, device, options, export), "int8", before)


def _time(
    job: Job, device: torch.device, engine: Session, promised: str, before: Optional[int]
) -> None:
    job.layers = NO_LAYERS
    time_session(job, engine, promised, by_kernels=True)
    record_growth(job, device, before)


def _imported(name: str) -> Any:
    """Raises Unsupported with the import's own words.

    KeyError: Torch-TensorRT from 2.8 on asks for the name of a user who may have none.
    """
    import importlib

    try:
        return importlib.import_module(name)
    except (ImportError, OSError, RuntimeError, KeyError) as error:
        raise Unsupported(f"{name}: {type(error).__name__}: {first_line(error)}") from error


def _calibration(job: Job, device: torch.device) -> Callable[[nn.Module], None]:
    """Shows training images to the observers: the recipe's number, or one batch."""
    recipe = infer_recipe(job)
    images = getattr(recipe, "calibration_images", 0)
    part = job.data.calibration(images or job.cell.batch_size, job.cell.seed)
    place = placing(device, True)

    def show(model: nn.Module) -> None:
        with torch.no_grad():
            for batch in batches(job.data, part, job.cell.batch_size):
                model(place(batch.images))

    return show


def _export(model: nn.Module, inputs: torch.Tensor) -> Any:
    """Up to torch 2.6 the public way fails on ModelOpt's quantizers, the older way doesn't."""
    try:
        return torch.export.export(model, (inputs,), strict=False)
    except Exception as error:
        if "FunctionalTensor" not in str(error):
            raise
        return torch.export._trace._export(model, (inputs,), strict=False)


def _built(
    job: Job,
    library: Any,
    build: Callable[[], nn.Module],
    device: torch.device,
    options: Dict[str, Any],
    export: Export,
) -> Session:
    """The engine for the cell's batch; records ``convert_s``. Raises Unsupported.

    What ``build`` made is not kept beside the engine.
    """
    inputs = black_batch(job, device)
    model = build()
    watching = watching_allocator(job, device, "convert")
    with watching, refusals_of("torch_tensorrt"), job.phase("convert"), torch.no_grad():
        program = export(model, inputs)
        engine = library.dynamo.compile(program, inputs=[inputs], **options)
        engine(inputs)
    job.record("convert_s", [job.last_phase_s("convert")], source="export, build, first call")
    return session(engine, device, True, guard=torch.no_grad, fixed_batch=True)


def options_of(library: Any, dtype: torch.dtype, tf32: bool = False) -> Dict[str, Any]:
    """Types come from the graph where this version can take them from there.

    TensorRT computes float32 in TF32 unless it is told not to. Q/DQ nodes and explicit typing go
    together from 2.8 on; versions without either parameter know nothing but explicit typing.
    """
    accepted = inspect.signature(library.dynamo.compile).parameters
    options: Dict[str, Any] = {"min_block_size": 1, "disable_tf32": not tf32}
    explicit = dtype != torch.int8 or _version(library) >= _FIRST_WITH_EXPLICIT_INT8
    if "use_explicit_typing" in accepted and explicit:
        return {**options, "use_explicit_typing": True}
    if "enabled_precisions" in accepted:
        return {**options, "enabled_precisions": {torch.float32, dtype}}
    return options


def _version(library: Any) -> Tuple[int, ...]:
    """(2, 8) of 2.8.0a0+nv25.08; () where it isn't said."""
    found = re.match(r"(\d+)\.(\d+)", getattr(library, "__version__", ""))
    return tuple(int(part) for part in found.groups()) if found else ()
