"""Models of a job: built from the weights that a training left, or the file that a cell left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from runners.job import Job
from runners.onnx_models.onnx_graph import onnx_model
from runners.onnx_models.probe_networks import built

MODEL_FILE = "model.onnx"

Model = Any  # onnx.ModelProto


def float_model(job: Job) -> Model:
    """The float32 network with the neutral weights of the cell this one starts from, built once.

    Raises FileNotFoundError, DamagedInput, Unsupported.
    """
    if job.float_model is None and job.cell.feature:
        job.float_model = built(job)
    if job.float_model is None:
        classes = len(job.data.meta.classes)
        arrays = job.weights.arrays()
        job.float_model = onnx_model(job.cell.model, classes, job.cell.image_size, arrays)
    return job.float_model


def save_model(job: Job, content: bytes) -> Path:
    """Save a model; records it as an artifact and as ``model_size_bytes``."""
    with job.phase("save"):
        (job.folder / MODEL_FILE).write_bytes(content)
    path = job.artifact(MODEL_FILE, "ONNX model")
    job.record("model_size_bytes", [job.artifacts[-1].size_bytes], source="ONNX file on disk")
    return path


def quantized_file(job: Job) -> Path:
    """The file that the parent cell saved. Raises FileNotFoundError, DamagedInput."""
    return job.weights.file(MODEL_FILE)
