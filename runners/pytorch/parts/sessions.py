"""How torch models are called: placement, call and classes, without gradients."""

from __future__ import annotations

from typing import Any, Callable, ContextManager

import torch

from runners.inference import Array, Session
from runners.measure import Call

_REGION = "CUDA events around the call; input and answer stay on the GPU"
Placed = Callable[[Array], torch.Tensor]


def session(
    model: Callable[[torch.Tensor], torch.Tensor],
    device: torch.device,
    channels_last: bool = False,
    dtype: torch.dtype = torch.float32,
    guard: Callable[[], ContextManager[Any]] = torch.inference_mode,
    fixed_batch: bool = False,
) -> Session:
    """Calls on NCHW tensors of ``dtype`` that lie on ``device``, inside ``guard``."""
    place = placing(device, channels_last, dtype)

    def call(inputs: torch.Tensor) -> torch.Tensor:
        with guard():
            return model(inputs)

    def classes(logits: torch.Tensor) -> Array:
        return logits.argmax(1).cpu().numpy()

    if device.type != "cuda":
        return Session(place, call, classes, fixed_batch=fixed_batch, outputs=_outputs)
    return Session(
        place,
        call,
        classes,
        torch.cuda.synchronize,
        event_stopwatch,
        fixed_batch,
        _REGION,
        _outputs,
    )  # fmt: skip


def _outputs(logits: torch.Tensor) -> Array:
    return logits.detach().float().cpu().numpy()


def placing(
    device: torch.device, channels_last: bool = False, dtype: torch.dtype = torch.float32
) -> Placed:
    """float32 NHWC on the host -> NCHW on ``device``; channels_last keeps the order in memory."""
    layout = torch.channels_last if channels_last else torch.contiguous_format

    def place(images: Array) -> torch.Tensor:
        tensor = torch.from_numpy(images).permute(0, 3, 1, 2)
        return tensor.to(device, dtype).contiguous(memory_format=layout)

    return place


def event_stopwatch(call: Call) -> float:
    """Seconds between two CUDA events around the call, on a queue that was empty before."""
    start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    torch.cuda.synchronize()
    start.record()
    call()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end)) * 1e-3
