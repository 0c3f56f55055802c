"""What the techniques share: the mean image of every class, and how a batch is classified."""

from __future__ import annotations

from typing import Any, Callable

import msgspec
import numpy as np

from runners.job import Job
from runners.session import Session


class TrainRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many images train and test (0: all)."""

    train_images: int
    test_images: int


def flat(images: Any) -> Any:
    """float32 (count, pixels), each image of length 1, so that a product compares directions."""
    rows = images.reshape(len(images), -1).astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


def class_means(rows: Any, labels: Any) -> Any:
    """float32 (classes, pixels)."""
    return np.stack([rows[labels == label].mean(axis=0) for label in np.unique(labels)])


def trained(job: Job) -> Any:
    """The means of the cell that this one starts from."""
    return np.load(job.weights.file("means.npy"))


def session(scores: Callable[[Any], Any]) -> Session:
    """``scores``: rows -> (count, classes)."""
    return Session(place=flat, call=scores, classes=lambda found: found.argmax(axis=1))
