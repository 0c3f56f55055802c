"""A framework's own quantizer beside the equations: which it follows, and how exactly."""

from __future__ import annotations

from typing import Any, Callable, List, NamedTuple, Optional, Sequence

import numpy as np

from runners.arithmetic.calibrators import Range, min_max
from runners.arithmetic.quantizers import (
    PLAIN,
    Parameters,
    Steps,
    asymmetric,
    quantize,
    with_zero,
)

Array = Any


class Sample(NamedTuple):
    """A tensor to quantize: ``batches`` calibrate, ``values`` become integers. float32."""

    name: str
    batches: Sequence[Array]
    values: Array


class Quantized(NamedTuple):
    """What a framework made of one: its scale (float32), zero point, and integers.

    ``range`` is the one that it chose, where its way of choosing is its own.
    """

    scale: Array
    zero_point: Array
    integers: Array
    range: Optional[Range] = None


class Rule(NamedTuple):
    """What a quantizer is held against.

    ``equations`` are the paper's; ``differs`` says in words what the framework does otherwise,
    and the rest says it in numbers: ``steps``, ``bits``. ``shift`` is added to zero points and
    integers of an unsigned type.
    """

    equations: str
    make: Callable[..., Parameters] = asymmetric
    calibrate: Callable[[Sequence[Array]], Range] = min_max
    differs: str = ""
    steps: Steps = PLAIN
    bits: int = 8
    shift: int = 0
    axis: Optional[int] = None

    def plain(self, batches: Sequence[Array]) -> Parameters:
        """By the equations, in eight bits."""
        return self.make(*with_zero(*self.calibrate(batches)), axis=self.axis)

    def own(self, batches: Sequence[Array], chosen: Optional[Range]) -> Parameters:
        """By the framework's rule, with the range that it chose where it did."""
        ends = with_zero(*(chosen or self.calibrate(batches)))
        made = self._in_bits(*ends)
        return made._replace(
            zero_point=made.zero_point + self.shift,
            q_min=made.q_min + self.shift,
            q_max=made.q_max + self.shift,
        )

    def _in_bits(self, low: Array, high: Array) -> Parameters:
        if self.bits == 8:
            return self.make(low, high, axis=self.axis, steps=self.steps)
        return self.make(low, high, self.bits, axis=self.axis, steps=self.steps)


class Found(NamedTuple):
    """One tensor: how many of ``integers`` are equal to the equations', and by its own rule."""

    name: str
    integers: int
    equal: int
    equal_by_rule: int
    scale_ulp: float
    zero_point_difference: int
    scale: List[float]
    zero_point: List[int]


def compare(sample: Sample, quantized: Quantized, rule: Rule) -> Found:
    """Raises RangeError where the equations give no scale for that tensor."""
    plain = rule.plain(sample.batches)
    own = rule.own(sample.batches, quantized.range)
    theirs = np.asarray(quantized.integers, np.int64)
    zero_point = np.asarray(quantized.zero_point, np.int64) - rule.shift
    scale = np.asarray(quantized.scale, np.float32)
    return Found(
        name=sample.name,
        integers=theirs.size,
        equal=int((theirs - rule.shift == quantize(sample.values, plain)).sum()),
        equal_by_rule=int((theirs == quantize(sample.values, own, rule.steps)).sum()),
        scale_ulp=float(units_in_last_place(scale, plain.scale).max()),
        zero_point_difference=int(np.abs(zero_point - plain.zero_point).max()),
        scale=np.atleast_1d(scale).astype(float).tolist(),
        zero_point=np.atleast_1d(np.asarray(quantized.zero_point)).astype(int).tolist(),
    )


def units_in_last_place(a: Array, b: Array) -> Array:
    """|a - b| in units of the last place of float32 ``b``, positive; float64."""
    x, y = (np.asarray(value, np.float32) for value in (a, b))
    return np.abs(x.astype(np.float64) - y) / np.spacing(y).astype(np.float64)


class Total(NamedTuple):
    """Of one quantizer over all tensors. ``shares`` are fractions of all integers."""

    tensors: int
    integers: int
    equal: float
    equal_by_rule: float
    scale_ulp: float
    zero_point_difference: int


def total(found: Sequence[Found]) -> Total:
    """Raises ValueError for none."""
    if not found:
        raise ValueError("no tensor was quantized")
    integers = sum(one.integers for one in found)
    return Total(
        tensors=sum(len(one.scale) for one in found),
        integers=integers,
        equal=sum(one.equal for one in found) / integers,
        equal_by_rule=sum(one.equal_by_rule for one in found) / integers,
        scale_ulp=max(one.scale_ulp for one in found),
        zero_point_difference=max(one.zero_point_difference for one in found),
    )


def spread(places: int, wanted: int) -> List[int]:
    """``wanted`` places from first to last, evenly; all where there are no more."""
    if wanted >= places:
        return list(range(places))
    return sorted({round(i * (places - 1) / max(1, wanted - 1)) for i in range(wanted)})
