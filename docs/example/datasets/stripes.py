"""``stripes``: upright and lying stripes of any phase, with noise; drawn with a fixed seed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from orchestrator.datasets.pack import Part, Progress, Source

NAME = "stripes"
PHRASE = "drawn stripes"
COUNTS = {"train": 240, "test": 60}


def source(cache: Path, place: Path | None = None, name: str = NAME) -> Source:
    """The images are drawn when they are packed; there is nothing to fetch."""
    return Source(
        name=name,
        origin="drawn: square waves of period 4 with noise, seed 0",
        classes=["upright", "lying"],
        key="stripes-1",  # another one when the drawing changes
        load=_load,
        counts=COUNTS,
    )


def _load(image_size: int, progress: Progress) -> dict[str, Part]:
    generator = np.random.default_rng(0)
    return {split: _drawn(count, image_size, generator) for split, count in COUNTS.items()}


def _drawn(count: int, size: int, generator: np.random.Generator) -> Part:
    labels = generator.integers(0, 2, count).astype(np.uint8)
    wave = 255 * (np.arange(size) // 2 % 2)
    upright = np.broadcast_to(wave, (size, size))
    images = np.stack([upright.T if label else upright for label in labels]).astype(np.float64)
    images += generator.normal(0, 900, images.shape)
    pixels = np.clip(images, 0, 255).astype(np.uint8)
    return Part(np.repeat(pixels[..., None], 3, axis=3), labels)
