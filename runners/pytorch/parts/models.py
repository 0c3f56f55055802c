"""Models of a job: new with the shared initial weights, or from the cell it starts from."""

from __future__ import annotations

from typing import Type, TypeVar

import torch

from runners.failures import Unsupported
from runners.job import Job
from runners.networks import initial_weights, network_of
from runners.pytorch.parts.network import ResNetModule, load_arrays

WEIGHTS_FILE = "weights.pt"

M = TypeVar("M", bound=ResNetModule)


def device_of(job: Job) -> torch.device:
    """The device of the cell. Raises Unsupported when this machine has none."""
    if job.cell.device == "cpu":
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise Unsupported(
            "torch.cuda.is_available() is False: no NVIDIA GPU, no driver, or a CPU build of torch"
        )
    return torch.device("cuda")


def new_model(job: Job) -> ResNetModule:
    """Seeded initial weights, the same as in every other framework."""
    torch.manual_seed(job.cell.seed)
    network = network_of(job.cell.model, len(job.data.meta.classes))
    model = ResNetModule(network)
    load_arrays(model, network, initial_weights(network, job.cell.seed))
    return model


def empty_model(job: Job, kind: Type[M]) -> M:
    """The cell's network for the classes of its data, in evaluation mode, weights to come."""
    model = kind(network_of(job.cell.model, len(job.data.meta.classes)))
    model.eval()
    return model


def trained_model(job: Job, kind: Type[M]) -> M:
    """The float32 model of the cell this one starts from, in evaluation mode."""
    model = empty_model(job, kind)
    model.load_state_dict(load_weights(job))
    return model


def load_weights(job: Job) -> dict[str, torch.Tensor]:
    """The state dictionary that the parent cell saved."""
    path = job.weights.file(WEIGHTS_FILE)
    state: dict[str, torch.Tensor] = torch.load(path, weights_only=True)
    return state


def save_model(job: Job, model: torch.nn.Module) -> None:
    """Save the state dictionary; records it as an artifact and as ``model_size_bytes``."""
    with job.phase("save"):
        torch.save(model.state_dict(), job.folder / WEIGHTS_FILE)
    job.artifact(WEIGHTS_FILE, "torch state dictionary")
    job.record(
        "model_size_bytes", [job.artifacts[-1].size_bytes], source="state dictionary on disk"
    )
