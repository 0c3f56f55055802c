"""How ONNX models are called: contiguous NCHW arrays, threads that the cell states."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Union

import numpy as np
import onnxruntime

from runners.inference import Array, Session
from runners.job import Job
from runners.model_file import in_layout
from runners.onnx_models.onnx_graph import INPUT, OUTPUT
from runners.onnxruntime.parts.providers import check_taken, providers_of
from runners.onnxruntime.parts.refusals import refusals

Source = Union[Path, Any]
"""A file, or an onnx.ModelProto."""


def options(job: Job) -> Any:
    """One pool of the cell's threads, operations one after another, every optimization."""
    found = onnxruntime.SessionOptions()
    found.intra_op_num_threads = job.threads
    found.inter_op_num_threads = 1
    found.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    found.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    found.log_severity_level = 3  # errors; what a cell warns of is its own
    if job.cell.device != "cpu":
        found.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    return found


def record_settings(job: Job) -> None:
    """What no variable shows."""
    job.settings.update(
        {
            "intra_op_num_threads": str(job.threads),
            "inter_op_num_threads": "1",
            "execution_mode": "ORT_SEQUENTIAL",
            "graph_optimization_level": "ORT_ENABLE_ALL",
        }
    )


def opened(job: Job, model: Source, profiled_as: str = "") -> Any:
    """An InferenceSession on the cell's device. Raises Unsupported for what it refuses.

    ``profiled_as``: how the file begins that its profile is written to.
    """
    wanted = options(job)
    if profiled_as:
        wanted.enable_profiling = True
        wanted.profile_file_prefix = profiled_as
    content = str(model) if isinstance(model, Path) else model.SerializeToString()
    providers = providers_of(job)
    with refusals():
        runtime = onnxruntime.InferenceSession(content, wanted, providers=providers)
    check_taken(providers, runtime.get_providers())
    return runtime


def session(job: Job, model: Source) -> Session:
    """Calls on batches of any size. Raises Unsupported for what the runtime refuses."""
    record_settings(job)
    return calling(job, opened(job, model))


def calling(job: Job, runtime: Any) -> Session:
    """Calls on batches of any size of a session that is open, on the cell's device."""
    return on_host(runtime) if job.cell.device == "cpu" else on_device(runtime, "cuda")


def on_host(runtime: Any) -> Session:
    """Arrays go in and come out; the first output is the answer."""
    entry, answer = runtime.get_inputs()[0], runtime.get_outputs()[0].name

    def call(images: Array) -> Array:
        return runtime.run([answer], {entry.name: images})[0]

    def placed(images: Array) -> Array:
        return in_layout(images, entry.shape)

    return Session(placed, call, lambda logits: logits.argmax(1), outputs=lambda logits: logits)


def on_device(runtime: Any, device: str) -> Session:
    """Input and answer stay on ``device``, as runtimes call it."""

    def placed(images: Array) -> Any:
        return onnxruntime.OrtValue.ortvalue_from_numpy(place(images), device, 0)

    def call(images: Any) -> Any:
        binding = runtime.io_binding()
        binding.bind_ortvalue_input(INPUT, images)
        binding.bind_output(OUTPUT, device)
        runtime.run_with_iobinding(binding)
        binding.synchronize_outputs()
        return binding.get_outputs()[0]

    return Session(
        placed,
        call,
        lambda logits: logits.numpy().argmax(1),
        region="run_with_iobinding and synchronize_outputs; input and answer stay on the GPU",
        outputs=lambda logits: logits.numpy(),
    )


def place(images: Array) -> Array:
    """float32 NHWC -> NCHW in its own order in memory."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
