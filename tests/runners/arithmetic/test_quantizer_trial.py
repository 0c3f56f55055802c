"""A quantizer beside the equations, and the tensors that they are compared on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from runners.arithmetic.float_formats import to_bfloat16, to_float16
from runners.arithmetic.gradient_records import fitting_scale
from runners.arithmetic.quantizer_trial import (
    Quantized,
    Rule,
    Sample,
    compare,
    spread,
    total,
    units_in_last_place,
)
from runners.arithmetic.quantizers import RangeError, Steps, asymmetric, quantize
from runners.arithmetic.random_tensors import cast_probes, random_tensors

X = random_tensors(1, 0)[0]
SAMPLE = Sample("one", [X], X)


def made(**changes: Any) -> Quantized:
    parameters = asymmetric(X.min(), X.max())
    plain = Quantized(parameters.scale, parameters.zero_point, quantize(X, parameters))
    return plain._replace(**changes)


def test_a_quantizer_that_follows_the_equations_is_equal_in_everything() -> None:
    found = compare(SAMPLE, made(), Rule("Equations 1 to 3"))
    assert (found.equal, found.equal_by_rule, found.integers) == (256, 256, 256)
    assert (found.scale_ulp, found.zero_point_difference) == (0, 0)


def test_what_differs_is_counted() -> None:
    integers = made().integers.copy()
    integers[:3] += 1
    wide = np.nextafter(made().scale, np.float32(9))
    found = compare(
        SAMPLE, made(integers=integers, scale=wide, zero_point=made().zero_point + 2), Rule("")
    )
    assert (found.equal, found.scale_ulp, found.zero_point_difference) == (253, 1, 2)


def test_an_unsigned_quantizer_is_shifted() -> None:
    shifted = made(integers=made().integers + 128, zero_point=made().zero_point + 128)
    found = compare(SAMPLE, shifted, Rule("", shift=128))
    assert (found.equal, found.equal_by_rule, found.zero_point_difference) == (256, 256, 0)


def test_a_rule_of_its_own_is_told_from_the_equations() -> None:
    """Ties away from zero, on whole numbers and halves."""
    x = np.arange(-127, 128, dtype=np.float32) / 2
    sample = Sample("halves", [np.float32([-127, 128])], x)
    parameters = asymmetric(-127, 128)
    away = Steps(ties="away")
    own = Quantized(parameters.scale, parameters.zero_point, quantize(x, parameters, away))
    found = compare(sample, own, Rule("", steps=away))
    assert found.equal < found.integers == found.equal_by_rule


def test_a_smallest_scale_and_fewer_bits() -> None:
    floor = float(made().scale) * 2
    own = Rule("", steps=Steps(smallest_scale=floor)).own([X], None)
    assert float(own.scale) == pytest.approx(floor)
    # The zero point is that of the scale it has, not of the one that it would have had.
    assert int(own.zero_point) == -round(float(min(X.min(), 0)) / float(own.scale)) - 128
    seven = Rule("", bits=7).own([X], None)
    assert (seven.q_min, seven.q_max) == (-64, 63)


def test_totals_are_over_integers_and_the_worst_tensor() -> None:
    first = compare(SAMPLE, made(), Rule(""))
    second = first._replace(integers=768, equal=0, equal_by_rule=768, scale_ulp=3.0)
    sums = total([first, second])
    assert (sums.tensors, sums.integers, sums.equal) == (2, 1024, 0.25)
    assert (sums.equal_by_rule, sums.scale_ulp) == (1.0, 3.0)
    with pytest.raises(ValueError, match="no tensor"):
        total([])


def test_a_constant_tensor_has_no_equation() -> None:
    constant = Sample("dead", [np.zeros(4, np.float32)], np.zeros(4, np.float32))
    with pytest.raises(RangeError, match="all numbers are 0"):
        compare(constant, made(), Rule(""))


def test_units_in_the_last_place() -> None:
    one = np.float32(1)
    assert units_in_last_place(np.nextafter(one, np.float32(2)), one) == 1
    assert units_in_last_place(one, one) == 0


@pytest.mark.parametrize(
    ("places", "wanted", "found"),
    [(5, 9, [0, 1, 2, 3, 4]), (10, 2, [0, 9]), (10, 1, [0]), (100, 3, [0, 50, 99])],
)
def test_places_from_first_to_last(places: int, wanted: int, found: list[int]) -> None:
    assert spread(places, wanted) == found


def test_random_tensors_are_the_same_everywhere_and_of_all_kinds() -> None:
    tensors = random_tensors(1000, 0)
    assert tensors.shape == (1000, 256) and tensors.dtype == np.float32
    assert (random_tensors(1000, 0) == tensors).all() and (random_tensors(2, 1) != X).any()
    assert np.isfinite(tensors).all()
    one_sided = (tensors.min(1) >= 0).mean()
    assert 0.15 < one_sided < 0.45
    sizes = np.abs(tensors).max(1)
    assert sizes.min() < 1e-3 and sizes.max() > 1e4


def test_probes_have_every_number_of_both_formats_and_their_edges() -> None:
    probes = cast_probes(0)
    assert len(np.unique(to_bfloat16(probes[~np.isnan(probes)]))) == 2**16 - 2 * 127
    assert len(np.unique(to_float16(probes[~np.isnan(probes)]))) == 2**16 - 2 * 1023
    values = set(probes[np.isfinite(probes)].tolist())
    assert {65504.0, 65520.0, 2.0**-24, 2.0**-25, 1 + 2.0**-8} <= values


def test_the_loss_scale_is_the_largest_that_fits() -> None:
    assert fitting_scale([np.float32([1e-3]), np.zeros(0, np.float32)]) == 65536
    assert fitting_scale([np.float32([1.0, -4.0])]) == 8192
    assert fitting_scale([np.float32([1e9])]) == 1
