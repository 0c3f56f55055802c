"""Networks as OpenVINO has them before it compiles them: from neutral weights, or from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List

import openvino

from runners.job import Job
from runners.onnx_models.onnx_graph import onnx_model
from runners.onnx_models.probe_networks import built
from runners.openvino.parts.files import IR_CONSTANTS_FILE, IR_FILE, TFLITE_FILE
from runners.openvino.parts.refusals import refusals_of

Network = Any  # openvino.Model

_OWN = "openvino"


def trained(job: Job) -> Network:
    """The float32 network of the training that the cell starts from, through ONNX.

    Raises Unsupported, DamagedInput.
    """
    if job.cell.feature:
        model = built(job)
    else:
        classes = len(job.data.meta.classes)
        weights = job.weights.arrays()
        model = onnx_model(job.cell.model, classes, job.cell.image_size, weights)
    with refusals_of("OpenVINO refuses the ONNX model"):
        return openvino.Core().read_model(model.SerializeToString())


def of_parent(job: Job) -> Network:
    """The network that another cell of OpenVINO left, or else of the training it starts from."""
    if not left_by_own(job):
        return trained(job)
    job.weights.file(IR_CONSTANTS_FILE)
    return read(job.weights.file(IR_FILE))


def left_by_own(job: Job) -> bool:
    """Whether the cell starts from another cell of OpenVINO."""
    return job.weights.made_by() == _OWN


def from_tflite(job: Job) -> Network:
    """The network of the .tflite file that TensorFlow's converter left."""
    return read(job.weights.file(TFLITE_FILE))


def read(path: Path) -> Network:
    """Raises Unsupported, in OpenVINO's words, for a file that it can't read."""
    with refusals_of(f"OpenVINO can't read {path.name}"):
        return openvino.Core().read_model(str(path))


def save(job: Job, network: Network, half: bool = False) -> None:
    """Write OpenVINO's own form, with constants in float16 where ``half``; records it and
    ``model_size_bytes``.
    """
    with job.phase("save"):
        openvino.save_model(network, str(job.folder / IR_FILE), compress_to_fp16=half)
    job.artifact(IR_FILE, "OpenVINO IR, the graph")
    job.artifact(IR_CONSTANTS_FILE, "OpenVINO IR, the constants")
    size = sum(artifact.size_bytes for artifact in job.artifacts[-2:])
    job.record("model_size_bytes", [size], source=f"{IR_FILE} and {IR_CONSTANTS_FILE} on disk")


def channels_last(network: Network) -> bool:
    """Whether pictures go in as NHWC, as TensorFlow Lite has them."""
    return bool(network.inputs[0].partial_shape[1] != 3)


def fix_shape(network: Network, batch_size: int, image_size: int) -> None:
    """Take batches of one size from now on, which the plug-in can plan for.

    A network whose input isn't square pictures of three channels keeps the sizes that it has.
    Raises Unsupported for a network that doesn't take such pictures.
    """
    sides = _sides(network.inputs[0].partial_shape, batch_size, image_size)
    with refusals_of(f"the network can't take pictures of {image_size} x {image_size} pixels"):
        network.reshape({network.inputs[0]: sides})


def _sides(shape: Any, batch_size: int, image_size: int) -> List[int]:
    known = [size.get_length() if size.is_static else 0 for size in list(shape)[1:]]
    if len(known) == 3 and known[0] == 3 and known[1] == known[2]:
        return [batch_size, 3, image_size, image_size]
    if len(known) == 3 and known[2] == 3 and known[0] == known[1]:
        return [batch_size, image_size, image_size, 3]
    return [batch_size, *known]
