"""The names of the files that one cell leaves and another starts from."""

from __future__ import annotations

from runners.job import Job

WEIGHTS_FILE = "weights.h5"
TFLITE_FILE = "model.tflite"
FLOAT_FILE = "float32.tflite"
"""What a probe leaves of the float network, for one that runs where no TensorFlow is."""


def save_tflite(job: Job, content: bytes) -> None:
    """Save a converted model; records it as an artifact and as ``model_size_bytes``."""
    (job.folder / TFLITE_FILE).write_bytes(content)
    job.artifact(TFLITE_FILE, "TFLite flatbuffer")
    job.record(
        "model_size_bytes", [job.artifacts[-1].size_bytes], source="TFLite flatbuffer on disk"
    )
