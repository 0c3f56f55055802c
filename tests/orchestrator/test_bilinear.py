"""Enlarging with numpy gives Pillow's very pixels, so that a pack is the same without Pillow."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from orchestrator.datasets.bilinear import enlarged


def by_pillow(pictures: np.ndarray, size: int) -> np.ndarray:  # type: ignore[type-arg]
    bilinear = Image.Resampling.BILINEAR
    return np.stack([np.asarray(Image.fromarray(p).resize((size, size), bilinear))
                     for p in pictures])  # fmt: skip


@pytest.mark.parametrize("size", [8, 9, 32, 48, 128, 224, 288, 299])
def test_every_size_of_the_digits_is_pillows(size: int) -> None:
    pictures = np.random.default_rng(size).integers(0, 256, (20, 8, 8), dtype=np.uint8)
    np.testing.assert_array_equal(enlarged(pictures, size), by_pillow(pictures, size))


@given(side=st.integers(1, 20), more=st.integers(0, 60), seed=st.integers(0, 2**32 - 1))
def test_so_is_any_other(side: int, more: int, seed: int) -> None:
    pictures = np.random.default_rng(seed).integers(0, 256, (3, side, side), dtype=np.uint8)
    size = side + more
    np.testing.assert_array_equal(enlarged(pictures, size), by_pillow(pictures, size))


def test_nothing_is_made_smaller() -> None:
    with pytest.raises(ValueError, match="8 x 8 pixels can't be enlarged to 4 x 4"):
        enlarged(np.zeros((1, 8, 8), np.uint8), 4)
