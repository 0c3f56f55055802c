"""Torch-TensorRT engines, and Q/DQ nodes from NVIDIA's ModelOpt for int8.

Written against torch_tensorrt 2.x (``dynamo.compile``) and modelopt 0.x; both APIs change with
TensorRT, so that what they accept is looked up and what they refuse becomes ``unsupported``.
"""

from __future__ import annotations

import inspect
from typing import Any, Callable, Dict

import torch
from torch import nn

from runners.data import batches
from runners.failures import Unsupported, first_line, is_out_of_memory
from runners.inference import InferRecipe, Session, infer_recipe
from runners.job import Job
from runners.pytorch.parts.compiled import Autocast, black_batch, channels_last
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.sessions import placing, session
from runners.pytorch.parts.steps import begin_on_gpu, time_session

Export = Callable[[nn.Module, torch.Tensor], Any]


def time_engine(job: Job, promised: str, dtype: torch.dtype) -> None:
    """A whole inference cell in float32 or float16. Raises Unsupported without TensorRT."""
    device = begin_on_gpu(job)
    library = _imported("torch_tensorrt")
    with job.phase("build"):
        model: nn.Module = trained_model(job)
        if dtype != torch.float32:
            model = Autocast(model, device, dtype)
        model = channels_last(model.eval(), device)
    engine = _built(job, library, model, device, dtype, _export)
    time_session(job, engine, promised, by_kernels=True)


def time_int8_engine(job: Job) -> None:
    """The same in int8: Q/DQ nodes placed and calibrated by ModelOpt."""
    device = begin_on_gpu(job)
    library = _imported("torch_tensorrt")
    modelopt = _imported("modelopt.torch.quantization")
    exporting = _imported("modelopt.torch.quantization.utils")
    with job.phase("build"):
        model = channels_last(trained_model(job), device)

    def export(quantized: nn.Module, inputs: torch.Tensor) -> Any:
        with exporting.export_torch_mode():
            return _export(quantized, inputs)

    with job.phase("calibrate"):
        model = modelopt.quantize(model, modelopt.INT8_DEFAULT_CFG, _calibration(job, device))
    job.record("calibration_s", [job.last_phase_s("calibrate")])
    engine = _built(job, library, model, device, torch.int8, export)
    time_session(job, engine, "int8", by_kernels=True)


def _imported(name: str) -> Any:
    """Raises Unsupported with the import's own words."""
    import importlib

    try:
        return importlib.import_module(name)
    except (ImportError, OSError, RuntimeError) as error:
        raise Unsupported(f"{name}: {type(error).__name__}: {first_line(error)}") from error


def _calibration(job: Job, device: torch.device) -> Callable[[nn.Module], None]:
    """Shows training images to the observers: the recipe's number, or one batch."""
    recipe = infer_recipe(job)
    images = recipe.calibration_images if isinstance(recipe, InferRecipe) else 0
    part = job.data.calibration(images or job.cell.batch_size, job.cell.seed)
    place = placing(device, True)

    def show(model: nn.Module) -> None:
        with torch.no_grad():
            for batch in batches(job.data, part, job.cell.batch_size):
                model(place(batch.images))

    return show


def _export(model: nn.Module, inputs: torch.Tensor) -> Any:
    return torch.export.export(model, (inputs,), strict=False)


def _built(
    job: Job,
    library: Any,
    model: nn.Module,
    device: torch.device,
    dtype: torch.dtype,
    export: Export,
) -> Session:
    """The engine for the cell's batch; records ``convert_s``. Raises Unsupported."""
    inputs = black_batch(job, device)
    try:
        with job.phase("convert"), torch.no_grad():
            program = export(model, inputs)
            engine = library.dynamo.compile(program, inputs=[inputs], **_options(library, dtype))
            engine(inputs)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise Unsupported(f"torch_tensorrt: {type(error).__name__}: {first_line(error)}") from error
    job.record("convert_s", [job.last_phase_s("convert")], source="export, build, first call")
    return session(engine, device, True, guard=torch.no_grad, fixed_batch=True)


def _options(library: Any, dtype: torch.dtype) -> Dict[str, Any]:
    """Types come from the graph where this version can take them from there."""
    accepted = inspect.signature(library.dynamo.compile).parameters
    options: Dict[str, Any] = {"min_block_size": 1}
    if "use_explicit_typing" in accepted:
        return {**options, "use_explicit_typing": True}
    return {**options, "enabled_precisions": {torch.float32, dtype}}
