"""What an interpreter and its GPU are, and the raw names of what they compute with.

    python -m runners.pytorch.parts.first_contact FOLDER/probe.json

Patterns that read precision from kernels' names were written from libraries' sources. This
leaves the names themselves: of one convolution, depthwise convolution and linear layer in each
precision, with the profiler's rows. On a processor the same, with operators for kernels.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import platform
import sys
from typing import Any, Callable, Dict, List, Optional, Tuple

import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from runners.pytorch.parts.kernels import kernel_type, operator_type

_BATCH, _CHANNELS, _SIDE, _FEATURES = 32, 64, 28, 512
Described = Dict[str, Any]


def main(path: str) -> int:
    """Write the probe; also when a part of it fails, with the reason in its place."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    found: Described = {}
    for name, part in _PARTS.items():
        try:
            found[name] = part(device)
        except Exception as error:
            found[name] = {"reason": f"{type(error).__name__}: {error}"}
    with open(path, "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1, sort_keys=True)
        file.write("\n")
    return 0


def _versions(device: torch.device) -> Described:
    cudnn = torch.backends.cudnn.version() if device.type == "cuda" else None
    return {
        "python": platform.python_version(), "torch": str(torch.__version__),
        "cuda": torch.version.cuda, "cudnn": cudnn, "device": device.type,
    }  # fmt: skip


def _device(device: torch.device) -> Described:
    """CUDA's own view; ``mem_get_info`` is what is free and all there is, in bytes."""
    if device.type != "cuda":
        return {"reason": "torch.cuda.is_available() is False"}
    free, total = torch.cuda.mem_get_info()
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "compute_capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count, "free_bytes": free,
        "total_bytes": total, "visible": torch.cuda.device_count(),
    }  # fmt: skip


def _nvml(device: torch.device) -> Described:
    """The driver's view of every card: memory by both of NVML's structures."""
    nvml = importlib.import_module("pynvml")
    nvml.nvmlInit()
    try:
        cards = [_card(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]
        return {"driver": _text(nvml.nvmlSystemGetDriverVersion()), "cards": cards}
    finally:
        nvml.nvmlShutdown()


def _card(nvml: Any, index: int) -> Described:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    card: Described = {"name": _text(nvml.nvmlDeviceGetName(handle))}
    card["uuid"] = _text(nvml.nvmlDeviceGetUUID(handle))
    for version in ("v1", "v2"):
        extra = (nvml.nvmlMemory_v2,) if version == "v2" else ()
        try:
            memory = nvml.nvmlDeviceGetMemoryInfo(handle, *extra)
        except nvml.NVMLError as error:
            card[version] = {"reason": str(error)}
            continue
        names = ("total", "used", "free", "reserved")
        card[version] = {n: int(getattr(memory, n)) for n in names if hasattr(memory, n)}
    return card


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class _Layer(nn.Module):
    """A layer and the shape of what goes in."""

    def __init__(self, layer: nn.Module, shape: Tuple[int, ...]) -> None:
        super().__init__()
        self.layer = layer
        self.shape = shape

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.layer(x)
        return answer


def _layers() -> Dict[str, _Layer]:
    picture = (_BATCH, _CHANNELS, _SIDE, _SIDE)
    full = nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1)
    depthwise = nn.Conv2d(_CHANNELS, _CHANNELS, 3, padding=1, groups=_CHANNELS)
    return {
        "convolution": _Layer(full, picture),
        "depthwise convolution": _Layer(depthwise, picture),
        "linear": _Layer(nn.Linear(_FEATURES, _FEATURES), (_BATCH, _FEATURES)),
    }


def _operations(device: torch.device) -> List[Described]:
    """Each layer in each precision. TF32 is a GPU's own; a processor has bfloat16 in its place."""
    lower = "tf32" if device.type == "cuda" else "bfloat16"
    found: List[Described] = []
    for precision in ("float32", lower, "float16"):
        for name, layer in _layers().items():
            found.append({"layer": name, "precision": precision,
                          **_operation(layer, precision, device)})  # fmt: skip
    return found


def _operation(layer: _Layer, precision: str, device: torch.device) -> Described:
    torch.backends.cuda.matmul.allow_tf32 = precision == "tf32"
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    kind = {"float16": torch.float16, "bfloat16": torch.bfloat16}.get(precision, torch.float32)
    model = layer.to(device, kind).eval()
    inputs = torch.zeros(layer.shape, dtype=kind, device=device)
    try:
        with torch.no_grad():
            return _profiled(lambda: model(inputs), device)
    except RuntimeError as error:  # a processor may have no kernel for it
        return {"reason": str(error).splitlines()[0][:300]}


def _profiled(call: Callable[[], Any], device: torch.device) -> Described:
    """Names with the types that this project reads from them, and the averages' rows."""
    activities = [ProfilerActivity.CPU]
    if device.type == "cuda":
        activities.append(ProfilerActivity.CUDA)
    call()
    with profile(activities=activities, record_shapes=True, acc_events=True) as profiler:
        call()
        with contextlib.suppress(AssertionError, RuntimeError):
            torch.cuda.synchronize()
    on_cpu = torch.autograd.DeviceType.CPU
    operators, kernels = [], []
    for event in profiler.profiler.kineto_results.events():
        if event.device_type() == on_cpu:
            operators.append(_named(event.name(), operator_type(event.name(), event.dtypes())))
        else:
            kernels.append(_named(event.name(), kernel_type(event.name())))
    rows = [_row(row) for row in profiler.key_averages()]
    return {"operators": operators, "kernels": kernels, "key_averages": rows}


def _named(name: str, kind: Optional[str]) -> Described:
    return {"name": name, "type": kind}


def _row(row: Any) -> Described:
    return {
        "key": row.key, "device_type": str(row.device_type).split(".")[-1], "count": row.count,
        "self_device_us": float(getattr(row, "self_device_time_total", 0.0)),
        "self_cpu_us": float(row.self_cpu_time_total),
    }  # fmt: skip


_PARTS: Dict[str, Callable[[torch.device], Any]] = {
    "versions": _versions, "device": _device, "nvml": _nvml, "operations": _operations,
}  # fmt: skip

if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
