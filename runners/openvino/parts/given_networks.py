"""A person's own .onnx or .tflite file in OpenVINO."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List

from runners.job import Job
from runners.model_file import (
    answer,
    checked,
    given_file,
    profiled_calls,
    refused_by,
    timed,
    worth_profiling,
)
from runners.openvino.parts import compiled, networks, profile
from runners.openvino.parts.steps import FLOAT32_HINT
from runners.session import Session

RUNTIME = "OpenVINO"
Network = Any  # openvino.Model


def given_network(job: Job) -> Network:
    """The network of the file that was given. Raises Unsupported."""
    path: Path = given_file(job)
    with job.phase("build"), refused_by(RUNTIME):
        return networks.read(path)


def precision_of(network: Network) -> str:
    """What the file says that it computes in."""
    kinds = {node.get_type_name() for node in network.get_ops()}
    return "int8" if "FakeQuantize" in kinds else "float32"


def shape_of(network: Network) -> List[Any]:
    """Of its input; free dimensions are texts."""
    return [
        size.get_length() if size.is_static else "free" for size in network.inputs[0].partial_shape
    ]


def ready(job: Job, network: Network, promised: str) -> Session:
    """A session that has answered a batch. Raises Unsupported.

    A file is what it is; of one that was quantized here something has to run in INT8.
    """
    with job.phase("build"), refused_by(RUNTIME):
        made = compiled.compiled(job, network, FLOAT32_HINT)
        session = compiled.session(network, made)
    if job.cell.technique.endswith("int8"):
        profile.require(job, network, made, promised, FLOAT32_HINT)
    return checked(job, session, RUNTIME)


def finish(job: Job, network: Network, promised: str) -> None:
    """Answers to the test samples, and the proof."""
    answer(job, ready(job, network, promised))
    profile.prove(job, network, promised, FLOAT32_HINT, profiled_calls(job))
    job.layers = "the tensors inside of a person's own file are not compared"


def time_network(job: Job, network: Network, promised: str) -> None:
    """Latency and the proof."""
    timed(job, ready(job, network, promised), RUNTIME)
    if worth_profiling(job):
        profile.prove(job, network, promised, FLOAT32_HINT, profiled_calls(job))
