"""What a model answers to the test images, kept for the models that are made from it.

``outputs.npz`` holds, for each image: its place in the test split, its label, the class that was
put first (-1: none, something wasn't finite), and, where the session gives them, all outputs in
float32.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any, List, NamedTuple, Optional

import numpy as np

from manifests.right_answers import RightAnswers
from runners.data import batches
from runners.fidelity import top1
from runners.job import Job
from runners.session import Session, filled

Array = Any

OUTPUTS_FILE = "outputs.npz"
FLOAT_OUTPUTS_FILE = "float-outputs.npz"
"""The same of the float model that it was made from, for what starts from what was made of it."""
_FIELDS = ("images", "labels", "predicted")


class Outputs(NamedTuple):
    """``images``, ``labels``, ``predicted``: int64 (n,). ``values``: float32 (n, classes)."""

    images: Array
    labels: Array
    predicted: Array
    values: Optional[Array]
    kind: str

    def at(self, places: Array) -> Outputs:
        """Those of some images, by their rows here."""
        values = None if self.values is None else self.values[places]
        return self._replace(
            images=self.images[places],
            labels=self.labels[places],
            predicted=self.predicted[places],
            values=values,
        )


class Collected:
    """Keeps what a session answers while a protocol asks it for classes, batch by batch."""

    def __init__(self, session: Session) -> None:
        self.session = session._replace(classes=self._classes)
        self._own = session
        self._predicted: List[Array] = []
        self._values: List[Optional[Array]] = []

    def _classes(self, answer: Any) -> Array:
        found = self._own.classes(answer)
        self._predicted.append(np.asarray(found).astype(np.int64))
        self._values.append(values_of(self._own, answer))
        return found

    def classes(self) -> Array:
        """int64, of all batches so far, with those that filled the last one."""
        return np.concatenate(self._predicted) if self._predicted else np.zeros(0, np.int64)

    def outputs(self, images: Array, labels: Array) -> Optional[Outputs]:
        """Of those images, in their order; None where fewer were asked for, or none.

        What was filled up to a whole batch is left out.
        """
        predicted = self.classes()[: len(images)]
        if not len(images) or len(predicted) < len(images):
            return None
        values = self._joined(len(images))
        if values is not None:
            predicted = np.where(np.isfinite(values).all(axis=1), predicted, -1)
        return Outputs(images, labels.astype(np.int64), predicted, values, self._own.kind)

    def _joined(self, count: int) -> Optional[Array]:
        """None where a batch has none, or they aren't what the classes come from."""
        known = [values for values in self._values if values is not None]
        if len(known) < len(self._values):
            return None
        values = np.concatenate(known)[:count]
        first, predicted = top1(values), self.classes()[:count]
        return values if ((first == predicted) | (first < 0)).all() else None


def values_of(session: Session, answer: Any) -> Optional[Array]:
    """float32 (n, classes); None where a session doesn't say and its answers aren't floats."""
    if session.outputs is not None:
        return np.asarray(session.outputs(answer), np.float32)
    try:
        found = np.asarray(answer)
    except (TypeError, ValueError, RuntimeError):
        return None
    return found.astype(np.float32) if found.ndim == 2 and found.dtype.kind == "f" else None


def in_order(job: Job, collected: Collected, limit: int, accuracy: float) -> Optional[Outputs]:
    """The answers to the test images, by a protocol that took ``accuracy`` from up to ``limit``.

    None for a protocol that takes them in another order: its accuracy then isn't that of these.
    """
    images = job.data.test_places(limit)
    count = min(len(images), _asked(job))
    found = collected.outputs(images[:count], job.data.labels("test")[images[:count]])
    if found is None:
        return None
    right = (collected.classes()[:count] == found.labels).astype(np.float64)
    size = job.cell.batch_size
    by_batch = [right[begin : begin + size].mean() for begin in range(0, count, size)]
    same = (abs(mean - accuracy) < 1e-6 for mean in (right.mean(), np.mean(by_batch)))
    return found if any(same) else None


def _asked(job: Job) -> int:
    """How many images the accuracy that was just recorded is a share of."""
    recorded = [metric.items for metric in job.metrics if metric.name == "accuracy"]
    return recorded[-1] if recorded else 0


def answers(job: Job, session: Session, images: Array) -> Optional[Outputs]:
    """What ``session`` answers to the test images at those places, in batches of the cell's."""
    collected = Collected(session)
    size = job.cell.batch_size
    part = job.data.at(images)
    for batch in batches(job.data, part, size):
        pixels = filled(batch.images, size) if session.fixed_batch else batch.images
        collected.session.classes(session.call(session.place(pixels)))
    return collected.outputs(images, part.labels)


def right_answers(found: Outputs) -> RightAnswers:
    """Which images were recognised, for the manifest."""
    asked = np.concatenate([found.images, found.labels]).astype("<i8")
    right = np.packbits(found.predicted == found.labels)
    return RightAnswers(
        count=len(found.labels),
        images_sha256=hashlib.sha256(asked.tobytes()).hexdigest(),
        right=base64.b64encode(right.tobytes()).decode("ascii"),
    )


def keep(
    job: Job,
    outputs: Outputs,
    name: str = OUTPUTS_FILE,
    kind: str = "answers to the test images",
) -> None:
    """Leave them as an artifact of the cell."""
    arrays = {name: getattr(outputs, name) for name in _FIELDS}
    if outputs.values is not None:
        arrays["values"] = outputs.values
    np.savez(str(job.folder / name), kind=np.array(outputs.kind), **arrays)
    job.artifact(name, kind)


def read(path: Path) -> Outputs:
    """What ``keep`` left. Raises ValueError, OSError, KeyError for anything else."""
    with np.load(str(path), allow_pickle=False) as arrays:
        values = arrays["values"] if "values" in arrays.files else None
        images, labels, predicted = (arrays[name] for name in _FIELDS)
        return Outputs(images, labels, predicted, values, str(arrays["kind"]))
