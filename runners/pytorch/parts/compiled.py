"""torch.compile with Inductor and frozen weights."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import Any, Callable

import numpy as np
import torch
from torch import nn

from runners.failures import Unsupported, first_line, is_out_of_memory
from runners.inference import Session
from runners.job import Job
from runners.pytorch.parts import layers
from runners.pytorch.parts.sessions import placing, session


class Autocast(nn.Module):
    """The model under autocast; logits come out in float32."""

    def __init__(self, model: nn.Module, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__()
        self.model = model
        self.device_type = device.type
        self.dtype = dtype

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast(self.device_type, self.dtype):
            logits: torch.Tensor = self.model(x)
        return logits.float()


def channels_last(model: nn.Module, device: torch.device) -> nn.Module:
    """``model`` on ``device`` with its weights in channels_last order."""
    moved: nn.Module = model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return moved


def compiled_session(job: Job, model: nn.Module, device: torch.device) -> Session:
    """Compiled for the cell's batch, weights frozen into the code; records ``convert_s``.

    A probe is compiled only where its recipe says so: it takes seconds the first time.
    Raises Unsupported when there is no compiler.
    """
    if job.cell.task == "probe" and not job.cell.recipe.get("compiled"):
        return session(model, device, True, guard=torch.no_grad, fixed_batch=True)
    need_compiler(device)
    compiled = _compile(job, model, device)
    # What the compiler fuses has no tensors in between; the model that it compiled has them.
    job.layers = lambda images: layers.compare(job, model, images)
    job.record(
        "convert_s", [job.last_phase_s("compile")],
        source="torch.compile until the first call returned; Inductor's disk cache may be warm",
    )  # fmt: skip
    return session(compiled, device, True, guard=torch.no_grad, fixed_batch=True)


def need_compiler(device: torch.device) -> None:
    """Inductor writes C++ for processors; for GPUs Triton, whose launchers are C."""
    accepted = [os.environ.get("CXX", ""), "g++", "clang++", "c++"]
    if device.type == "cuda":
        accepted = [os.environ.get("CC", ""), "gcc", "clang", "cc"]
        if importlib.util.find_spec("triton") is None:
            raise Unsupported("torch.compile needs triton for a GPU, which is not installed")
    if not any(name and shutil.which(name) for name in accepted):
        names = ", ".join(name for name in accepted if name)
        raise Unsupported(f"torch.compile needs a compiler; none of {names} is on the PATH")


def _compile(job: Job, model: nn.Module, device: torch.device) -> Callable[..., Any]:
    inputs = black_batch(job, device)
    try:
        return _frozen(job, model, inputs, True)
    except Exception as error:
        if device.type != "cuda" or is_out_of_memory(error):
            raise
        job.warn(f"without frozen weights, since freezing failed: {first_line(error)}")
        torch._dynamo.reset()
        return _frozen(job, model, inputs, False)


def _frozen(job: Job, model: nn.Module, inputs: torch.Tensor, freezing: bool) -> Callable[..., Any]:
    import torch._inductor.config as inductor

    inductor.freezing = freezing
    job.settings["torch._inductor.config.freezing"] = str(freezing)
    compiled: Callable[..., Any] = torch.compile(model, dynamic=False)
    with job.phase("compile"), torch.no_grad():
        compiled(inputs)
    return compiled


def black_batch(job: Job, device: torch.device) -> torch.Tensor:
    """A batch of the cell's size and shape, channels_last, where the model is."""
    size = job.cell.image_size
    pixels = np.zeros((job.cell.batch_size, size, size, 3), np.uint8)
    return placing(device, True)(job.data.normalise(pixels))
