"""A tiny data pack, a cell, and a job that keeps its events in a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from manifests import event
from manifests.cell import Cell
from orchestrator.datasets.pack import Part, Source, prepare
from runners.data import Data
from runners.events import Emitter
from runners.job import Job

TRAIN, TEST, SIZE = 40, 12, 8


def pictures(count: int, first: int) -> NDArray[np.uint8]:
    """Images that are told apart by the number in every pixel's red and green."""
    images = np.zeros((count, SIZE, SIZE, 3), np.uint8)
    numbers = np.arange(first, first + count)
    images[..., 0] = (numbers % 256)[:, None, None]
    images[..., 1] = (numbers // 256)[:, None, None]
    images[..., 2] = np.arange(SIZE)[None, :, None] * 7 + np.arange(SIZE) * 3
    return images


def a_pack(folder: Path, mirrored: bool = True) -> Data:
    """Training images 1 to 40, test images 201 to 212; the label is the number's last digit."""

    def load(image_size: int, progress: object) -> dict[str, Part]:
        return {"train": _part(TRAIN, 1), "test": _part(TEST, 201)}

    source = Source(
        "numbers", "made here", [str(digit) for digit in range(10)], "key", load, mirrored=mirrored
    )
    return Data(prepare(source, SIZE, folder, lambda what, done, of: None))


def _part(count: int, first: int) -> Part:
    labels = (np.arange(first, first + count) % 10).astype(np.uint8)
    return Part(pictures(count, first), labels)


def a_cell(**changes: Any) -> Cell:
    fields: dict[str, Any] = {
        "study": "lad2023",
        "task": "train",
        "framework": "pytorch",
        "technique": "float32",
        "model": "resnet18",
        "dataset": "numbers",
        "image_size": SIZE,
        "batch_size": 8,
        "seed": 3,
        "protocol": "rigorous",
        "tier": "quick",
        "recipe": {},
    }
    return Cell(**{**fields, **changes})


def a_job(folder: Path, data: Data | None = None, **changes: Any) -> Job:
    descriptor = os.open(folder / "events.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return Job(a_cell(**changes), folder, data, None, 1, Emitter(descriptor))


def events_of(job: Job) -> list[event.Event]:
    lines = (job.folder / "events.jsonl").read_bytes().splitlines()
    return [event.decode(line) for line in lines]
