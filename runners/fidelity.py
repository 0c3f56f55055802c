"""How faithful a model is to its float parent, in plain arithmetic: agreement, divergence, noise.

Top-1 agreement: the share of images for which both put the same class first (the lowest index of
equals; an answer with something that isn't finite agrees with nothing).

Divergence: KL(float || quantized) of each image in nats, from float64 log-softmax at temperature 1,
nothing added. Where a model gives probabilities in steps of 1/256 alone, both sides are clipped at
half a step and made to sum to 1 again: such divergences are *floored*, and are never compared with
others.

SQNR = 10 log10(sum x^2 / sum (x - y)^2): over all images and elements, in float64, y dequantized.
"""

from __future__ import annotations

import math
from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

Array = Any  # numpy.ndarray; old numpy has no typing worth the name

LOGITS, PROBABILITIES, INT8_PROBABILITIES = "logits", "probabilities", "int8 probabilities"
KINDS = (LOGITS, PROBABILITIES, INT8_PROBABILITIES)
"""What a model's outputs are; the last in steps of 1/256."""

HALF_STEP = 1 / 512
_RESAMPLES = 1000
_AT_ONCE = 2_000_000


class Agreement(NamedTuple):
    """``n10``: images that only the float model got right, ``n01``: that only the other did."""

    images: int
    agreeing: int
    n10: int
    n01: int


class Divergence(NamedTuple):
    """Over images, in nats; ``low`` and ``high`` are the mean's interval of 95 %."""

    mean: float
    median: float
    p90: float
    low: float
    high: float
    floored: bool


class Noise(NamedTuple):
    """``db`` is None where there is no number for it, and ``reason`` says why.

    ``exact``: both are equal in every element. ``signal`` and ``noise`` are sums of squares, None
    for what isn't finite.
    """

    db: Optional[float]
    signal: Optional[float]
    noise: Optional[float]
    exact: bool = False
    reason: str = ""

    def rank(self) -> float:
        """Higher is better: equal is best, and what can't be told is neither good nor bad."""
        if self.exact:
            return math.inf
        return math.nan if self.db is None else self.db


def top1(outputs: Array) -> Array:
    """The class that each row puts first; -1 for a row with something that isn't finite."""
    found = np.argmax(outputs, axis=1).astype(np.int64)
    found[~np.isfinite(outputs).all(axis=1)] = -1
    return found


def agreement(parent: Array, child: Array, labels: Array) -> Agreement:
    """Of the classes that two models put first (-1: none) for the same images."""
    right, also = parent == labels, child == labels
    return Agreement(
        images=len(labels),
        agreeing=int(np.sum((parent == child) & (parent >= 0))),
        n10=int(np.sum(right & ~also)),
        n01=int(np.sum(~right & also)),
    )


def log_softmax(logits: Array) -> Array:
    """By row, in float64."""
    shifted = np.asarray(logits, np.float64)
    shifted = shifted - shifted.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def probabilities(outputs: Array, kind: str) -> Array:
    """By row, in float64."""
    return np.exp(_log_probabilities(outputs, kind))


def kl(parent: Array, parent_kind: str, child: Array, child_kind: str) -> Array:
    """KL(parent || child) of each row in nats.

    Infinite where the child rules out what the parent doesn't, NaN where an output isn't finite.
    """
    floored = is_floored(parent_kind, child_kind)
    with np.errstate(divide="ignore", invalid="ignore"):
        p, q = (
            _floored(outputs, kind) if floored else _log_probabilities(outputs, kind)
            for outputs, kind in ((parent, parent_kind), (child, child_kind))
        )
        terms = np.exp(p) * (p - q)
    terms[np.isneginf(p)] = 0.0
    found = np.maximum(terms.sum(axis=1), 0.0)
    known = np.isfinite(parent).all(axis=1) & np.isfinite(child).all(axis=1)
    return np.where(known, found, np.nan)


def is_floored(*kinds: str) -> bool:
    """Whether one side knows its probabilities in steps of 1/256 only."""
    return INT8_PROBABILITIES in kinds


def divergence(values: Array, floored: bool) -> Divergence:
    """Of the divergences of images, all of them finite."""
    low, high = mean_interval(values)
    return Divergence(
        mean=float(np.mean(values)),
        median=float(np.median(values)),
        p90=float(np.percentile(values, 90)),
        low=low,
        high=high,
        floored=floored,
    )


def mean_interval(values: Array) -> Tuple[float, float]:
    """Of 95 %, from a bootstrap over images that draws the same every time."""
    generator = np.random.default_rng(0)
    values = np.asarray(values, np.float64)
    share = max(1, _AT_ONCE // len(values))
    means: List[Array] = []
    for begin in range(0, _RESAMPLES, share):
        size = (min(share, _RESAMPLES - begin), len(values))
        means.append(values[generator.integers(0, len(values), size)].mean(axis=1))
    low, high = np.percentile(np.concatenate(means), (2.5, 97.5))
    return float(low), float(high)


def sqnr(parent: Array, child: Array) -> Noise:
    """Of two arrays of one shape. Raises ValueError for different shapes."""
    x, y = np.asarray(parent, np.float64), np.asarray(child, np.float64)
    if x.shape != y.shape:
        raise ValueError(f"shapes {x.shape} and {y.shape} can't be compared element by element")
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return Noise(None, None, None, reason="not every value is finite")
    signal, noise = _Power.of(x), _Power.of(x - y)
    exact = not noise.scale
    if not signal.scale:
        why = f"no signal; the noise's sum of squares is {noise.sum:.6g}"
        return Noise(None, 0.0, noise.sum, exact, why)
    if exact:
        return Noise(None, signal.sum, 0.0, True, "exact: equal in every element")
    return Noise(10 * (signal.log10() - noise.log10()), signal.sum, noise.sum)


class _Power(NamedTuple):
    """A sum of squares as ``scale ** 2 * share``, whose logarithm neither over- nor underflows."""

    scale: float
    share: float

    @staticmethod
    def of(values: Array) -> _Power:
        scale = float(np.abs(values).max()) if values.size else 0.0
        return _Power(scale, float(np.sum((values / scale) ** 2)) if scale else 0.0)

    @property
    def sum(self) -> float:
        return self.scale * self.scale * self.share

    def log10(self) -> float:
        return 2 * math.log10(self.scale) + math.log10(self.share)


class Layer(NamedTuple):
    """One layer as both models have it, after fusion, in the order of execution.

    ``cumulative``: the noise that has come together up to here. ``isolated``: what the layer alone
    makes of float inputs; None where it can't be run by itself.
    """

    name: str
    cumulative: Noise
    isolated: Optional[Noise] = None


class Worst(NamedTuple):
    """``by`` says what it is the worst in."""

    layer: str
    by: str


ISOLATED, DROP, ALONE = "isolated SQNR", "drop of cumulative SQNR", "cumulative SQNR"


def worst(layers: Sequence[Layer]) -> Optional[Worst]:
    """By isolated SQNR where it is known, else by the largest drop of the cumulative one.

    The first of equals; None where no layer has a number.
    """
    alone = [
        (layer.isolated.db, layer.name)
        for layer in layers
        if layer.isolated is not None and layer.isolated.db is not None
    ]
    if alone:
        return Worst(min(alone, key=lambda found: found[0])[1], ISOLATED)
    ranked = [(layer.cumulative.rank(), layer.name) for layer in layers]
    ranked = [(rank, name) for rank, name in ranked if not math.isnan(rank)]
    noisy = [(rank, name) for rank, name in ranked if math.isfinite(rank)]
    if not noisy:
        return None
    drops = [
        (before[0] - after[0], after[1])
        for before, after in zip(ranked, ranked[1:])
        if math.isfinite(after[0])
    ]
    if not drops:
        return Worst(noisy[0][1], ALONE)
    return Worst(max(drops, key=lambda found: found[0])[1], DROP)


def _log_probabilities(outputs: Array, kind: str) -> Array:
    if kind == LOGITS:
        return log_softmax(outputs)
    values = np.asarray(outputs, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(values) - np.log(values.sum(axis=1, keepdims=True))


def _floored(outputs: Array, kind: str) -> Array:
    """Logarithms of probabilities that are nowhere below half a step."""
    values = np.asarray(outputs, np.float64) if kind != LOGITS else probabilities(outputs, kind)
    clipped = np.maximum(values, HALF_STEP)
    return np.log(clipped) - np.log(clipped.sum(axis=1, keepdims=True))
