"""What a cell of technique ``arithmetic`` records, the same in every framework.

A framework's technique hands over what its own quantizers and casts made; everything that they
are held against is computed here, by the reference.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

import msgspec
import numpy as np

from runners.arithmetic.calibrators import Range, joined, min_max, moving_average, numbers
from runners.arithmetic.float_formats import to_bfloat16, to_float16
from runners.arithmetic.histograms import entropy, mse, percentile
from runners.arithmetic.quantization_error import split_error
from runners.arithmetic.quantizer_trial import Found, Quantized, Rule, Sample, compare, total
from runners.arithmetic.quantizers import (
    Parameters,
    RangeError,
    asymmetric,
    tensorrt,
    with_zero,
)
from runners.arithmetic.random_tensors import cast_probes
from runners.failures import Unsupported
from runners.job import Job

Array = Any
DETAILS_FILE = "arithmetic.json"
RoundTrip = Callable[[Array, Parameters], Array]
"""A framework's own: float32 numbers, and what is left of them, by those parameters."""
Cast = Callable[[Array], Array]
"""A framework's own: float32 numbers to uint16 bits."""


class ArithmeticRecipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``calibration_images`` and ``test_images`` give real activations, ``real_tensors`` of the
    network's weights and activations together are taken, beside ``random_tensors``.
    """

    calibration_images: int
    test_images: int
    random_tensors: int
    real_tensors: int


class Calibrator(NamedTuple):
    """How a range is found, and what is made of it."""

    name: str
    calibrate: Callable[[Sequence[Array]], Range]
    make: Callable[..., Parameters] = asymmetric


CALIBRATORS = (
    Calibrator("min-max", min_max),
    Calibrator("moving-average", moving_average),
    Calibrator("percentile", percentile),
    Calibrator("entropy", entropy, tensorrt),
    Calibrator("mse", mse),
)


def usable(job: Job, samples: Sequence[Sample]) -> List[Sample]:
    """Those that can be calibrated on; the others are named and left out.

    Raises Unsupported where none is left: a network of NaN, or one that answers a constant.
    """
    kept = []
    why = ""
    for sample in samples:
        try:
            joined(sample.batches)
            numbers(sample.values)
        except RangeError as error:
            why = f"{sample.name}: {error}"
            job.warn(f"left out: {why}")
        else:
            kept.append(sample)
    if not kept:
        raise Unsupported(f"none of the network's tensors can be quantized; the last is {why}")
    return kept


class Details:
    """Every tensor of every quantizer, for the file that the cell leaves."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._kept: Dict[str, Any] = {}

    def quantizer(
        self, name: str, rule: Rule, samples: Sequence[Sample], apply: Callable[[Sample], Quantized]
    ) -> None:
        """Record one quantizer of the framework beside the equations, over all samples.

        A tensor for which the equations give no scale (one of its channels is a constant) is left
        out and named.
        """
        found: List[Found] = []
        for sample in samples:
            try:
                found.append(compare(sample, apply(sample), rule))
            except RangeError as error:
                self._job.warn(f"{name}: {sample.name} is left out: {error}")
        if not found:
            raise Unsupported(f"{name}: the equations give no scale for any of the tensors")
        self._record(name, rule, found)
        self._kept[name] = {
            "equations": rule.equations,
            "differs": rule.differs,
            "tensors": [one._asdict() for one in found],
        }

    def leave(self) -> None:
        """Write the file; records it as an artifact."""
        path = self._job.folder / DETAILS_FILE
        path.write_text(json.dumps(self._kept, separators=(",", ":")), encoding="utf-8")
        self._job.artifact(DETAILS_FILE, "every tensor of every quantizer")

    def _record(self, name: str, rule: Rule, found: Sequence[Found]) -> None:
        sums = total(found)
        told = f"{rule.equations}; {sums.tensors:,} tensors, {sums.integers:,} integers"
        differs = f"{rule.equations}, but {rule.differs}" if rule.differs else told
        record = self._job.record
        record("equal_integers", [sums.equal], name, sums.integers, told)
        record("equal_by_rule", [sums.equal_by_rule], name, sums.integers, differs)
        record("scale_ulp", [sums.scale_ulp], name, source=told)
        record("zero_point_difference", [sums.zero_point_difference], name, source=told)


def record_errors(job: Job, samples: Sequence[Sample], round_trip: RoundTrip) -> None:
    """Equation 12 on real activations: a range from the calibration images, the error of others.

    ``quantization_error`` is what the framework's own round trip loses by the same parameters.
    """
    for calibrator in CALIBRATORS:
        rounding, clipping, whole, names = [], [], [], []
        for sample in samples:
            try:
                ends = with_zero(*calibrator.calibrate(sample.batches))
                parameters = calibrator.make(*ends)
            except RangeError as error:
                job.warn(f"{calibrator.name}: {sample.name} is left out: {error}")
                continue
            found = split_error(sample.values, parameters)
            lost = round_trip(sample.values, parameters).astype(np.float64) - sample.values
            rounding.append(found.share(found.rounding))
            clipping.append(found.share(found.clipping))
            whole.append(found.share(float((lost**2).sum())))
            names.append(sample.name)
        source = f"by tensor: {', '.join(names)}"
        job.record("rounding_error", rounding, calibrator.name, source=source)
        job.record("clipping_error", clipping, calibrator.name, source=source)
        job.record("quantization_error", whole, calibrator.name, source=source)


def record_casts(job: Job, bfloat16: Cast, float16: Cast) -> None:
    """The framework's casts of numbers where rounding, range and subnormals decide, bit by bit.

    A NaN is right where it stays one: which of them is open.
    """
    probes = cast_probes(job.cell.seed)
    with np.errstate(over="ignore", invalid="ignore"):
        for name, theirs, ours in (
            ("bfloat16", bfloat16(probes), to_bfloat16(probes)),
            ("float16", float16(probes), to_float16(probes)),
        ):
            infinity = 0x7F80 if name == "bfloat16" else 0x7C00
            both_nan = ((theirs & 0x7FFF) > infinity) & ((ours & 0x7FFF) > infinity)
            differing = (theirs != ours) & ~both_nan
            where = ", ".join(f"{value:g}" for value in probes[differing][:5])
            told = f"{len(probes):,} numbers{', first ' + where if where else ''}"
            job.record("casts_differing", [int(differing.sum())], name, len(probes), told)
