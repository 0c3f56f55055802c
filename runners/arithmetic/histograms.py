"""Calibrators that give up the ends of a range for a finer step (shafique2023, section 3.5).

They raise what ``calibrators`` raise.
"""

from __future__ import annotations

from typing import Any, Callable, Sequence

import numpy as np

from runners.arithmetic.calibrators import Range, joined, largest
from runners.arithmetic.quantization_error import split_error
from runners.arithmetic.quantizers import Parameters, asymmetric, with_zero

Array = Any
BINS = 2048
LEVELS = 128
"""Of the magnitude of a signed 8-bit integer."""
SHRINKS = 100
"""How many ranges ``mse`` tries between all of the numbers' and a hundredth of it."""
LOOKED_AT = 2**16
"""On how many numbers ``mse`` looks, drawn with a seed: places at equal distances in a tensor could
be the same pixel of every channel."""


def percentile(batches: Sequence[Array], kept: float = 99.99, bins: int = BINS) -> Range:
    """The range without the outermost numbers, from a histogram of ``bins`` equal bins.

    ``kept`` is in percent; half of the rest is left out at each end, to the edge of a bin.
    """
    values = joined(batches)
    counts, edges = np.histogram(values.astype(np.float64), bins)
    below = np.cumsum(counts) / len(values)
    left_out = (100 - kept) / 200
    first = int(np.searchsorted(below, left_out, "right"))
    last = int(np.searchsorted(below, 1 - left_out, "left"))
    return Range(np.float32(edges[first]), np.float32(edges[min(last, bins - 1) + 1]))


def entropy(batches: Sequence[Array], bins: int = BINS, levels: int = LEVELS) -> Range:
    """The symmetric range whose quantized histogram diverges least (KL) from the numbers' own.

    Of |x| in ``bins`` equal bins, every clipping from ``levels`` bins on is tried: what lies
    above it is added to the last bin kept, and the kept bins are merged into ``levels`` of equal
    width, each spread over the bins that were not empty (Migacz 2017, TensorRT's calibration). A
    zero is exact in every range, so the first bin counts as the second does: the zeros of a ReLU
    would else outweigh all that has an error.
    """
    values, most = largest(batches)
    counts, edges = np.histogram(values, bins, (0, most))
    counts[0] = counts[1]
    found = [_divergence(counts, kept, levels) for kept in range(levels, bins + 1)]
    end = np.float32(edges[levels + int(np.argmin(found))])
    return Range(-end, end)


def mse(
    batches: Sequence[Array], parameters: Callable[[Array, Array], Parameters] = asymmetric
) -> Range:
    """The part of the min-max range, holding 0, whose quantizer has the least squared error.

    ``SHRINKS`` ranges are tried, all shrunk alike at both ends; ``parameters`` makes a quantizer
    of a range.
    """
    values = joined(batches)
    low, high = with_zero(values.min(), values.max())
    tried = [
        Range(np.float32(low * step / SHRINKS), np.float32(high * step / SHRINKS))
        for step in range(SHRINKS, 0, -1)
    ]
    some = values
    if len(values) > LOOKED_AT:
        some = np.random.default_rng(0).choice(values, LOOKED_AT, replace=False)
    found = [split_error(some, parameters(*one)).total for one in tried]
    return tried[int(np.argmin(found))]


def _divergence(counts: Array, kept: int, levels: int) -> float:
    """KL in nats of the first ``kept`` bins, clipped, from what ``levels`` levels leave of them."""
    clipped = counts[:kept].astype(np.float64)
    clipped[-1] += counts[kept:].sum()
    edges = np.arange(levels + 1) * kept // levels
    filled = counts[:kept] > 0
    merged = np.add.reduceat(counts[:kept], edges[:-1])
    sharing = np.add.reduceat(filled.astype(np.int64), edges[:-1])
    spread = np.repeat(merged / np.maximum(sharing, 1), np.diff(edges)) * filled
    seen = clipped > 0
    if (spread[seen] == 0).any():  # what was clipped lies where the histogram itself has nothing
        return np.inf
    p, q = clipped[seen] / clipped.sum(), spread[seen] / spread.sum()
    return float(np.sum(p * np.log(p / q)))
