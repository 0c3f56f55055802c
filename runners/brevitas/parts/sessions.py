"""How networks are called in torch: whole numbers in NCHW, no gradients."""

from __future__ import annotations

import torch

from runners.brevitas.parts.network import Network
from runners.failures import Unsupported
from runners.inference import Array, Session
from runners.job import Job
from runners.models.bnn_pynq import BinaryNetwork, binary_network, inputs_of


def begin(job: Job) -> None:
    """Threads, seed and device of the cell; pixels come as they are.

    Raises Unsupported for a GPU: what runs here, runs on a processor.
    """
    if job.cell.device != "cpu":
        raise Unsupported("Brevitas' techniques run on a processor here; this cell is for a GPU")
    torch.set_num_threads(job.threads)
    torch.manual_seed(job.cell.seed)
    job.data.raw = True


def described_network(job: Job) -> BinaryNetwork:
    """The cell's network for the classes of its data. Raises Unsupported."""
    return binary_network(job.cell.model, len(job.data.meta.classes), job.cell.image_size)


def place(described: BinaryNetwork, images: Array) -> torch.Tensor:
    """float32 NHWC pixels -> contiguous NCHW, whole numbers."""
    return torch.from_numpy(inputs_of(described, images)).permute(0, 3, 1, 2).contiguous()


def session(model: Network) -> Session:
    """Calls on batches of any size, in eager mode."""

    def call(inputs: torch.Tensor) -> torch.Tensor:
        with torch.inference_mode():
            return model(inputs)

    return Session(
        lambda images: place(model.described, images),
        call,
        lambda logits: logits.argmax(1).numpy(),
        outputs=lambda logits: logits.numpy(),
    )
