"""CIFAR-10's batches, as its archive has them, but small."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np

NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]


PER_BATCH = 3


def batch(index: int) -> dict[bytes, Any]:
    pixels = np.zeros((PER_BATCH, 3072), np.uint8)
    pixels[:, :1024] = 10 * index  # red
    pixels[:, 2048:] = 255  # blue
    return {b"data": pixels, b"labels": [index, 1, 2], b"batch_label": b"a test"}


def batches() -> dict[str, bytes]:
    return {name: pickle.dumps(batch(i), protocol=2) for i, name in enumerate(NAMES)}
