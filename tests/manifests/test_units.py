"""Units and metrics have one table each, and they fit one another."""

from __future__ import annotations

import pytest

from manifests.metrics import COMPARED, METRICS, is_exact, is_proportion
from manifests.units import UNITS, change_words, shown_in, units_of


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_is_recorded_in_a_unit_that_there_is(name: str) -> None:
    unit = METRICS[name].unit
    assert UNITS[unit] == (unit, 1.0)
    assert unit in units_of(unit)


@pytest.mark.parametrize("name", UNITS)
def test_every_unit_is_of_one_that_manifests_record(name: str) -> None:
    assert UNITS[UNITS[name].of].factor == 1.0


@pytest.mark.parametrize(
    ("unit", "one"),
    [("ms", 1e-3), ("µs", 1e-6), ("min", 60.0), ("MiB", 2.0**20), ("MB", 1e6), ("Wh", 3600.0),
     ("mW", 1e-3), ("%", 0.01), ("million", 1e6), ("GMAC/s", 1e9)],
)  # fmt: skip
def test_one_of_a_unit_is_so_much_of_what_is_recorded(unit: str, one: float) -> None:
    assert 1 / UNITS[unit].factor == pytest.approx(one)


def test_what_people_read() -> None:
    assert [shown_in(unit) for unit in ("s", "bytes", "fraction", "J")] == [
        (1e3, "ms"), (2.0**-20, "MiB"), (100.0, "%"), (1.0, "J"),
    ]  # fmt: skip
    assert change_words("s") == ("faster", "slower") and change_words("nats") == ("lower", "higher")


def test_only_what_counts_images_is_a_proportion_of_them() -> None:
    proportions = [name for name in METRICS if is_proportion(name)]
    assert proportions == ["accuracy", "top5_accuracy", "agreement"]
    exact = [name for name in METRICS if is_exact(name)]
    assert exact == [
        "images_used", "optimizer_steps", "parameters", "model_size_bytes", "arena_bytes",
        "multiply_adds", "depthwise_share", "bytes_moved", "equal_bytes", "promised_share",
        "equal_integers", "equal_by_rule", "scale_ulp", "zero_point_difference", "rounding_error",
        "clipping_error", "quantization_error", "casts_differing", "flushed_gradients",
        "overflowed_gradients", "batch_norms_left", "float_component",
        "removed_component",
    ]  # fmt: skip
    assert not is_proportion("of a later version") and not is_exact("of a later version")


def test_runs_are_compared_by_the_speed_first() -> None:
    assert COMPARED[0] == "latency_s"
    assert {"energy_j", "power_w", "f1", "accuracy"} <= set(COMPARED)
