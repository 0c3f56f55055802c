"""How ONNX models are called: contiguous NCHW arrays, threads that the cell states."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Tuple, Union

import numpy as np
import onnxruntime

from runners.failures import Unsupported
from runners.inference import Array, Session
from runners.job import Job
from runners.onnx_models.onnx_graph import INPUT, OUTPUT
from runners.onnxruntime.parts.refusals import refusals

Provider = Tuple[str, Dict[str, Any]]
CPU: Provider = ("CPUExecutionProvider", {})
Source = Union[Path, Any]
"""A file, or an onnx.ModelProto."""


def providers_of(job: Job) -> List[Provider]:
    """Those of the cell's device. Raises Unsupported for a GPU: no technique of it is for one."""
    if job.cell.device != "cpu":
        raise Unsupported(
            f"{job.cell.technique} runs on a processor; ONNX Runtime's techniques for a GPU are "
            "cuda and those that begin with tensorrt"
        )
    return [CPU]


def options(job: Job) -> Any:
    """One pool of the cell's threads, operations one after another, every optimization."""
    found = onnxruntime.SessionOptions()
    found.intra_op_num_threads = job.threads
    found.inter_op_num_threads = 1
    found.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    found.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    found.log_severity_level = 3  # errors; what a cell warns of is its own
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
    with refusals():
        return onnxruntime.InferenceSession(content, wanted, providers=providers_of(job))


def session(job: Job, model: Source) -> Session:
    """Calls on batches of any size. Raises Unsupported for what the runtime refuses."""
    record_settings(job)
    return calling(opened(job, model))


def calling(runtime: Any) -> Session:
    """Calls on batches of any size of a session that is open."""

    def call(images: Array) -> Array:
        return runtime.run([OUTPUT], {INPUT: images})[0]

    return Session(place, call, lambda logits: logits.argmax(1), outputs=lambda logits: logits)


def place(images: Array) -> Array:
    """float32 NHWC -> NCHW in its own order in memory."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2))
