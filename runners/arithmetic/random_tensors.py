"""Tensors that nobody chose, and numbers where a conversion can go wrong: both always the same."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any
NUMBERS = 256
_WIDEST = 4
"""Sizes go from ten to the minus that to ten to that: nothing below the smallest scale of any
framework, so that what is compared is the arithmetic."""


def random_tensors(count: int, seed: int) -> Array:
    """float32 (count, NUMBERS): normal, uniform, heavy-tailed, one-sided by turns, in sizes of all
    magnitudes, some far from zero.
    """
    generator = np.random.default_rng(seed)
    kinds = (
        generator.normal(size=(count, NUMBERS)),
        generator.uniform(-1, 1, size=(count, NUMBERS)),
        generator.standard_t(2, size=(count, NUMBERS)),
        np.abs(generator.normal(size=(count, NUMBERS))),
        generator.normal(3, 1, size=(count, NUMBERS)),
    )
    sizes = 10 ** generator.uniform(-_WIDEST, _WIDEST, size=(count, 1))
    turns = np.arange(count) % len(kinds)
    return (np.stack(kinds)[turns, np.arange(count)] * sizes).astype(np.float32)


def cast_probes(seed: int) -> Array:
    """float32 (about 800,000,): every bfloat16 and float16 number, what lies halfway to the next,
    the float32 numbers on both sides of each, and random bits.
    """
    every = np.arange(2**16, dtype=np.uint32)
    exact = np.concatenate([every << 16, _float16_numbers().view(np.uint32)])
    halfway = np.concatenate([(every << 16) + 0x8000, _float16_halves().view(np.uint32)])
    around = [(halfway.astype(np.int64) + step).astype(np.uint32) for step in (-1, 0, 1)]
    bits = np.random.default_rng(seed).integers(0, 2**32, 2**17, np.uint64).astype(np.uint32)
    return np.concatenate([exact, *around, bits]).view(np.float32)


def _float16_numbers() -> Array:
    return np.arange(2**16, dtype=np.uint16).view(np.float16).astype(np.float32)


def _float16_halves() -> Array:
    """Halfway from each finite number to the next one further from zero."""
    numbers = np.arange(0x7C00, dtype=np.uint16).view(np.float16).astype(np.float64)
    after = np.append(numbers[1:], 65536.0)
    halves = (numbers + after) / 2
    return np.concatenate([halves, -halves]).astype(np.float32)
