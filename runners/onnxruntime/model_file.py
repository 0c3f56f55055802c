"""A person's own ONNX file as it is: what everything else that opens it is held against.

Quantizing does nothing here but check the file and keep its answers to the test samples. Timed
region: ``InferenceSession.run`` on a contiguous array, with the answer on the host.
"""

from __future__ import annotations

from runners.job import Job
from runners.model_file import profiled_calls, timed, worth_profiling
from runners.onnxruntime.parts import given_models, proof


def quantize(job: Job) -> None:
    path = given_models.opened_file(job)
    size = path.stat().st_size
    job.record("model_size_bytes", [size], source="ONNX file as it was given")
    given_models.finish(job, path, given_models.precision_of(path))


def infer(job: Job) -> None:
    path = given_models.opened_file(job)
    timed(job, given_models.ready(job, path), given_models.RUNTIME)
    if worth_profiling(job):
        proof.prove(job, path, given_models.precision_of(path), profiled_calls(job))
