"""Models of a job: new with the shared initial weights, or from the cell it starts from."""

from __future__ import annotations

from typing import Union

import torch

from runners.failures import Unsupported
from runners.job import Job
from runners.models.keras_applications import APPLICATIONS, Application, application, initial_arrays
from runners.models.resnet18 import NETWORKS, ResNet, initial_weights, network_of
from runners.pytorch.parts import applications
from runners.pytorch.parts.applications import ApplicationModule
from runners.pytorch.parts.network import (
    FloatEndsResNetModule,
    ResNetModule,
    StubbedResNetModule,
    arrays_of,
    load_arrays,
)
from runners.pytorch.probes.networks import Network as Probed
from runners.pytorch.probes.networks import built

WEIGHTS_FILE = "weights.pt"

Network = Union[ResNetModule, ApplicationModule, Probed]
Stubbed = Union[StubbedResNetModule, Probed]


def device_of(job: Job) -> torch.device:
    """The device of the cell. Raises Unsupported when this machine has none."""
    if job.cell.device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise Unsupported(
            "torch.cuda.is_available() is False: no NVIDIA GPU, no driver, or a CPU build of torch"
        )
    return torch.device("cuda")


def new_model(job: Job) -> Network:
    """Seeded initial weights, the same as in every other framework.

    Raises Unsupported where the recipe wants ImageNet's.
    """
    if job.cell.feature:
        return built(job)
    if job.cell.recipe.get("weights") == "imagenet":
        raise Unsupported("ImageNet's weights are published by Keras, as files torch can't read")
    torch.manual_seed(job.cell.seed)
    if job.cell.model in APPLICATIONS:
        described = _application(job)
        made = ApplicationModule(described)
        applications.load_arrays(made, described, initial_arrays(described, job.cell.seed))
        return made
    network = network_of(job.cell.model, len(job.data.meta.classes))
    model = ResNetModule(network)
    load_arrays(model, network, initial_weights(network, job.cell.seed))
    return model


def empty_model(job: Job) -> Network:
    """The cell's network for the classes of its data, in evaluation mode, weights to come.

    Raises Unsupported for an unknown model.
    """
    if job.cell.feature:
        return built(job)
    name = job.cell.model
    if name in APPLICATIONS:
        model: Network = ApplicationModule(_application(job))
    elif name in NETWORKS:
        model = ResNetModule(network_of(name, len(job.data.meta.classes)))
    else:
        raise Unsupported(f"no model {name!r}. Accepted: {', '.join([*NETWORKS, *APPLICATIONS])}")
    model.eval()
    return model


def empty_stubbed_model(job: Job, float_ends: bool = False) -> Stubbed:
    """The same with hand-placed stubs, for quantization in eager mode; with ``float_ends`` the
    first and the last layer lie outside of them. Raises Unsupported.
    """
    if job.cell.feature:
        return built(job, stubbed=True)
    if job.cell.model in APPLICATIONS:
        raise Unsupported(
            f"quantization in eager mode needs stubs placed by hand; {job.cell.model} has none: "
            "use ptq-fx or ptq-pt2e"
        )
    kind = FloatEndsResNetModule if float_ends else StubbedResNetModule
    model = kind(network_of(job.cell.model, len(job.data.meta.classes)))
    model.eval()
    return model


def trained_model(job: Job) -> Network:
    """The float32 model of the cell this one starts from, in evaluation mode.

    Without such a cell, the seeded initial weights: times don't depend on them.
    """
    if job.cell.weights_from is None:
        model = new_model(job)
        model.eval()
        return model
    model = empty_model(job)
    load_trained(job, model)
    return model


def load_trained(job: Job, model: Network) -> None:
    """Fill ``model`` with what the parent trained, in whatever framework it did."""
    if job.cell.feature:
        return  # its weights are its own
    if not job.starts_elsewhere():
        model.load_state_dict(load_weights(job))
    elif isinstance(model, ApplicationModule):
        applications.load_arrays(model, _application(job), job.weights.arrays())
    elif isinstance(model, ResNetModule):
        load_arrays(model, _network(job), job.weights.arrays())


def leave_neutral(job: Job, model: torch.nn.Module) -> None:
    """Leave float32 weights for every framework; quantized ones have no such form."""
    if isinstance(model, ApplicationModule):
        job.neutral_weights(applications.arrays_of(model, _application(job)))
    elif isinstance(model, ResNetModule):
        job.neutral_weights(arrays_of(model, _network(job)))


def _network(job: Job) -> ResNet:
    return network_of(job.cell.model, len(job.data.meta.classes))


def _application(job: Job) -> Application:
    return application(job.cell.model, len(job.data.meta.classes), job.cell.image_size)


def load_weights(job: Job) -> dict[str, torch.Tensor]:
    """The state dictionary that the parent cell saved, on the host."""
    path = job.weights.file(WEIGHTS_FILE)
    state: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def save_model(job: Job, model: torch.nn.Module) -> None:
    """Save the state dictionary; records it as an artifact and as ``model_size_bytes``."""
    with job.phase("save"):
        torch.save(model.state_dict(), job.folder / WEIGHTS_FILE)
    job.artifact(WEIGHTS_FILE, "torch state dictionary")
    job.record(
        "model_size_bytes", [job.artifacts[-1].size_bytes], source="state dictionary on disk"
    )
