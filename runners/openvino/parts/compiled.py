"""Compiling for a device in a precision that is named, and calling what came out."""

from __future__ import annotations

from typing import Any, Dict

import numpy as np
import openvino

from runners.failures import Unsupported
from runners.fidelity import INT8_PROBABILITIES, LOGITS, PROBABILITIES
from runners.inference import Array, Session
from runners.job import Job
from runners.model_file import in_layout
from runners.openvino.parts import networks
from runners.openvino.parts.affine import entry_affine, exit_affine, producer
from runners.openvino.parts.refusals import refusals_of

Compiled = Any  # openvino.CompiledModel

HINT = "INFERENCE_PRECISION_HINT"
_DEVICES = {"cpu": "CPU", "gpu": "GPU"}
_TELLING = (
    HINT, "PERFORMANCE_HINT", "EXECUTION_MODE_HINT", "NUM_STREAMS", "INFERENCE_NUM_THREADS",
    "ENABLE_CPU_PINNING", "ENABLE_HYPER_THREADING", "SCHEDULING_CORE_TYPE",
)  # fmt: skip


def compiled(job: Job, network: Any, hint: str, counted: bool = False) -> Compiled:
    """``network`` for batches of the cell's size on its device; records how the device was set.

    ``hint`` is f32, bf16 or f16: what it computes in where it isn't INT8 by itself. ``counted``
    turns on the plug-in's counters, which cost time. Raises Unsupported.
    """
    core = openvino.Core()
    device = checked_device(job.cell.device, core)
    networks.fix_shape(network, job.cell.batch_size, job.cell.image_size)
    with refusals_of(f"OpenVINO refuses to compile for {device}"):
        made = core.compile_model(network, device, settings(job, hint, counted))
    if not counted:
        job.settings.update(_settings_of(made))
    return made


def checked_device(device: str, core: Any) -> str:
    """OpenVINO's name of a cell's device. Raises Unsupported with the devices that it sees."""
    name = _DEVICES[device]
    there = list(core.available_devices)
    if not any(one == name or one.startswith(f"{name}.") for one in there):
        raise Unsupported(f"OpenVINO sees no {name} here, only {', '.join(there) or 'nothing'}")
    return name


def settings(job: Job, hint: str, counted: bool) -> Dict[str, Any]:
    """What the plug-in is given. Without a hint it takes bfloat16 or float16 where that is faster."""
    found = {HINT: hint, "PERFORMANCE_HINT": "LATENCY", "PERF_COUNT": counted}
    if job.cell.device == "cpu":
        found["INFERENCE_NUM_THREADS"] = job.threads
    return found


def _settings_of(made: Compiled) -> Dict[str, str]:
    """What it made of that, by the names that it knows."""
    known = {str(name) for name in made.get_property("SUPPORTED_PROPERTIES")}
    return {name: _word(made.get_property(name)) for name in _TELLING if name in known}


def _word(value: Any) -> str:
    """A type or a member of an enumeration by its own name."""
    return str(value.to_string() if hasattr(value, "to_string") else getattr(value, "name", value))


def session(network: Any, made: Compiled) -> Session:
    """``place`` writes into the request's own tensor; ``call`` is ``infer()`` alone, and its answer
    stays there. ``made`` was compiled from ``network``.
    """
    request = made.create_infer_request()
    entry, exit_ = entry_affine(network), exit_affine(network)

    def place(images: Array) -> Any:
        values = in_layout(images, list(request.get_input_tensor().shape))
        request.get_input_tensor().data[:] = entry.quantized(values) if entry else values
        return request

    def call(placed: Any) -> Any:
        placed.infer(share_outputs=True)
        return placed

    def classes(done: Any) -> Array:
        return done.get_output_tensor().data.argmax(1)

    def outputs(done: Any) -> Array:
        values = done.get_output_tensor().data
        return exit_.dequantized(values) if exit_ else np.array(values, np.float32)

    kind = _kind(network, exit_ is not None)
    return Session(place, call, classes, fixed_batch=True, outputs=outputs, kind=kind)


def _kind(network: Any, in_steps: bool) -> str:
    """Probabilities where the answer comes from a softmax, else logits."""
    if producer(network).get_type_name() != "Softmax":
        return LOGITS
    return INT8_PROBABILITIES if in_steps else PROBABILITIES
