"""What OpenVINO's techniques do alike: parity, accuracy, timing, the proof."""

from __future__ import annotations

from typing import Any

from runners.failures import Unsupported
from runners.float_parity import show_float_parity
from runners.inference import QuantizeRecipe, evaluate, infer_recipe, time_inference
from runners.job import Job
from runners.openvino.parts import compiled, layers, networks, profile

Network = Any

FLOAT32_HINT = "f32"
"""Also of INT8 networks: it is about what lies between the INT8 operations."""


def float_network(job: Job) -> Network:
    """The float32 network of the cell's training, shown to compute what that did.

    Raises Unsupported where it doesn't.
    """
    with job.phase("convert"):
        network = networks.trained(job)
    made = compiled.compiled(job, network, FLOAT32_HINT)
    show_float_parity(job, compiled.session(network, made))
    networks.fix_shape(network, 1, job.cell.image_size)  # what calibrates comes one by one
    return network


def quantize_float(job: Job, promised: str, hint: str, half: bool = False) -> None:
    """Leave the network in OpenVINO's own form, in a precision that the device is told."""
    network = float_network(job)
    job.record("convert_s", [job.last_phase_s("convert")])
    networks.save(job, network, half)
    finish(job, network, promised, hint)


def finish(job: Job, network: Network, promised: str, hint: str = FLOAT32_HINT) -> None:
    """Accuracy and proof of the network that this cell made."""
    made = compiled.compiled(job, network, hint)
    profile.require(job, network, made, promised, hint)
    images = job.recipe(QuantizeRecipe).test_images
    evaluate(job, compiled.session(network, made), images, job.cell.batch_size)
    profile.prove(job, network, promised, hint)
    if promised != "float32":
        job.layers = lambda images: layers.compare(job, network, hint, images)


def infer_float(job: Job, promised: str, hint: str) -> None:
    """Time the network of another cell of OpenVINO, or of a training, in a precision that the
    device is told.
    """
    with job.phase("build"):
        network = networks.of_parent(job)
    time_network(job, network, promised, hint)


def infer_int8(job: Job) -> None:
    """Time the INT8 network that another cell of OpenVINO left."""
    if not networks.left_by_own(job):
        made_by = job.weights.made_by() or "no framework"
        raise Unsupported(
            f"{job.cell.technique} times what a quantize cell of openvino left; this one starts "
            f"from a cell of {made_by}"
        )
    with job.phase("build"):
        network = networks.of_parent(job)
    time_network(job, network, "int8")


def time_network(job: Job, network: Network, promised: str, hint: str = FLOAT32_HINT) -> None:
    """Latency, end-to-end time, accuracy where the recipe has test images, and the proof."""
    recipe = infer_recipe(job)
    with job.phase("build"):
        made = compiled.compiled(job, network, hint)
        ready = compiled.session(network, made)
    profile.require(job, network, made, promised, hint)
    time_inference(job, ready)
    if recipe.test_images is not None:
        evaluate(job, ready, recipe.test_images, job.cell.batch_size)
    profile.prove(job, network, promised, hint)
