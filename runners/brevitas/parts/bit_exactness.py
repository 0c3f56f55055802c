"""Whether qonnx executes bit by bit what Brevitas computes.

Every number that goes into a product and comes out of it, on the test images, and every class.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from runners.brevitas.parts.network import Network, inside
from runners.brevitas.parts.qonnx_files import QonnxModel, equal_numbers
from runners.brevitas.parts.sessions import place, session
from runners.data import batches
from runners.failures import Unsupported
from runners.inference import Session, filled
from runners.job import Job


class Compared(NamedTuple):
    """Numbers inside of both executions: how many, and how many are equal; images likewise."""

    numbers: int = 0
    equal: int = 0
    images: int = 0
    same_class: int = 0


def qonnx_session(model: Network, executed: QonnxModel) -> Session:
    """Calls of qonnx on batches of the file's size."""
    return Session(
        lambda images: place(model.described, images).numpy(),
        executed,
        lambda logits: logits.argmax(1),
        fixed_batch=True,
        outputs=lambda logits: logits,
    )


def show_bit_exact(job: Job, model: Network, executed: QonnxModel, test_images: int) -> None:
    """Record ``equal_inside`` and ``agreement``: qonnx against Brevitas, on the test images."""
    found = Compared()
    with job.phase("bit-exactness"):
        part = job.data.test(test_images)
        for batch in batches(job.data, part, executed.batch):
            inputs = place(model.described, filled(batch.images, executed.batch))
            one = compare(model, executed, inputs, len(batch.labels))
            found = Compared(*(a + b for a, b in zip(found, one)))
    record_comparison(job, found)


def compare(model: Network, executed: QonnxModel, inputs: torch.Tensor, images: int) -> Compared:
    """Both on one batch: the inputs and sums of every product, and the classes of its images."""
    ours = [array.numpy() for _, given, _, sums in inside(model, inputs) for array in (given, sums)]
    tensors = executed.executed(inputs.numpy())
    theirs = [array for one in executed.products(tensors) for array in (one.inputs, one.sums)]
    classes = session(model).call(inputs).argmax(1).numpy()[:images]
    same = int(np.sum(classes == executed.answer(tensors).argmax(1)[:images]))
    return Compared(sum(array.size for array in ours), equal_numbers(ours, theirs), images, same)


def record_comparison(job: Job, found: Compared) -> None:
    """Raises Unsupported where a number or a class differs: that isn't the same network."""
    source = "inputs and sums of every product, qonnx against Brevitas on the test images"
    job.record("equal_inside", [found.equal / found.numbers], items=found.numbers, source=source)
    agreement = found.same_class / found.images
    job.record("agreement", [agreement], items=found.images, source="qonnx against Brevitas")
    if found.equal != found.numbers or found.same_class != found.images:
        raise Unsupported(
            f"qonnx doesn't execute the exported network bit by bit: {found.equal:,} of "
            f"{found.numbers:,} numbers are equal, the same class first for {found.same_class} of "
            f"{found.images} images"
        )
