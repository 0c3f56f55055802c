"""Models of a job: new with the shared initial weights, or from the cell it starts from."""

from __future__ import annotations

from typing import Any

from runners.models.keras_applications import APPLICATIONS
from runners.job import Job
from runners.models.resnet18 import initial_weights, network_of
from runners.tensorflow.parts import applications
from runners.tensorflow.parts.files import WEIGHTS_FILE
from runners.tensorflow.parts.network import arrays_of, build, load_arrays
from runners.tensorflow.probes.networks import built


def new_model(job: Job) -> Any:
    """Seeded initial weights, the same as in every other framework."""
    network = network_of(job.cell.model, len(job.data.meta.classes))
    model = build(network, job.cell.image_size)
    load_arrays(model, initial_weights(network, job.cell.seed))
    return model


def trained_model(job: Job) -> Any:
    """The float32 model of the cell this one starts from, built once."""
    if job.float_model is None:
        job.float_model = _trained_model(job)
    return job.float_model


def _trained_model(job: Job) -> Any:
    if job.cell.feature:
        return built(job)
    if job.cell.model in APPLICATIONS:
        return applications.trained_model(job)
    model = build(network_of(job.cell.model, len(job.data.meta.classes)), job.cell.image_size)
    if job.starts_elsewhere():
        load_arrays(model, job.weights.arrays())
    else:
        model.load_weights(str(job.weights.file(WEIGHTS_FILE)))
    return model


def save_weights(job: Job, model: Any) -> None:
    """Save the weights, for every framework too; records their ``model_size_bytes``."""
    with job.phase("save"):
        model.save_weights(str(job.folder / WEIGHTS_FILE), save_format="h5")
    job.artifact(WEIGHTS_FILE, "keras weights")
    job.record("model_size_bytes", [job.artifacts[-1].size_bytes], source="weights file on disk")
    network = network_of(job.cell.model, len(job.data.meta.classes))
    job.neutral_weights(arrays_of(model, network))
