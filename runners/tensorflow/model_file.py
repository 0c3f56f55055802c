"""A person's own .tflite file as it is, in LiteRT: what everything else is held against.

Quantizing does nothing here but check the file and keep its answers to the test samples. Timed
region: ``invoke()`` of the LiteRT interpreter.
"""

from __future__ import annotations

from pathlib import Path

from runners.failures import Unsupported
from runners.job import Job
from runners.model_file import answer, checked, given_file, refused_by, timed
from runners.session import Session
from runners.tensorflow.parts import litert

RUNTIME = "LiteRT"


def quantize(job: Job) -> None:
    path = _opened_file(job)
    size = path.stat().st_size
    job.record("model_size_bytes", [size], source=".tflite file as it was given")
    answer(job, _ready(job, path))
    _prove(job, path)
    job.layers = "the tensors inside of a file are compared with none"


def infer(job: Job) -> None:
    path = _opened_file(job)
    timed(job, _ready(job, path), RUNTIME)
    _prove(job, path)


def _opened_file(job: Job) -> Path:
    path = given_file(job)
    if path.suffix != ".tflite":
        raise Unsupported(f"LiteRT opens .tflite files, and this is a {path.suffix} file")
    return path


def _ready(job: Job, path: Path) -> Session:
    with job.phase("build"), refused_by(RUNTIME):
        made = litert.calling(litert.for_batches(path, job.cell.batch_size, job.threads))
    return checked(job, made, RUNTIME)


def _prove(job: Job, path: Path) -> None:
    """In what most of its convolutions and products compute."""
    found = litert.prove(path, "float32")
    is_float = found.coverage is None or found.coverage >= 0.5
    job.proof = found if is_float else litert.prove(path, "int8")
