"""Intervals of a speedup's factors and shares, over repeated processes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.contrasts import factor_interval, part_interval
from comparisons.decomposition import (
    Explanation,
    explain_measured,
)
from comparisons.points import Points
from comparisons.render import speedups
from manifests.manifest import Flag
from papers.ladders import Ladders, framework_rungs
from tests.comparisons.samples import a_plan, measured, metric, rung

LADDERS = Ladders(list(framework_rungs()))


def repeated(scatter: float, processes: int, *flags: Flag) -> Explanation:
    """Three rungs of 60, 20 and 10 ms; process by process a little apart."""
    manifests = [
        measured(
            rung(technique, repeat=n),
            metric("latency_s", seconds * (1 + scatter * ((n * step) % processes - processes / 2))),
            flags=list(flags) if technique == "signature" else [],
        )
        for step, (technique, seconds) in enumerate(
            (("keras-predict", 0.06), ("signature", 0.02), ("tflite-float32", 0.01)), start=1
        )
        for n in range(processes)
    ]
    plan = a_plan(*(manifest.cell for manifest in manifests))
    found = explain_measured(plan, Points(plan.cells, manifests), LADDERS)
    return next(item for item in found if item.technique == "tflite-float32")


def test_one_process_has_no_interval_and_says_so() -> None:
    found = repeated(0.01, 1)
    assert (found.n, found.interval) == (1, None)
    assert {(f.interval, f.share_interval) for f in found.factors} == {(None, None)}
    assert speedups.legend([found])[-1] == speedups.NO_INTERVAL
    assert speedups.plain(found)["interval"] is None


def test_repeats_give_every_factor_and_share_an_interval() -> None:
    found = repeated(0.01, 5)
    assert found.total is not None and found.interval is not None and found.n == 5
    assert found.interval.low < found.total < found.interval.high
    for factor in found.factors:
        assert factor.interval is not None and factor.share_interval is not None
        assert factor.interval.low < factor.value < factor.interval.high
        assert factor.share_interval.low < (factor.share or 0) < factor.share_interval.high
    shown = speedups.row(found)
    assert shown[3].startswith("6.00 [") and "compiler 2.00 [" in shown[4]
    assert speedups.legend([found]) == [speedups.LEGEND]
    assert len(speedups.plain(found)["factors"][0]["share_interval"]) == 2


def test_more_scatter_is_a_wider_interval_until_a_share_is_anything() -> None:
    widths = [repeated(scatter, 5).interval for scatter in (0.001, 0.01, 0.1)]
    assert all(interval is not None for interval in widths)
    spans = [interval.high / interval.low for interval in widths if interval]
    assert spans == sorted(spans)
    near = {"a": [1.0, 1.1, 0.9], "b": [1.0, 0.95, 1.1]}
    assert part_interval({"a": 1, "b": -1}, {"a": 1, "b": -1}, near) is None


@given(st.lists(st.lists(st.floats(0.5, 2), min_size=3, max_size=5), min_size=3, max_size=3))
def test_the_whole_of_a_clear_speedup_has_the_share_one(values: list[list[float]]) -> None:
    processes = {"a": [100 * v for v in values[0]], "b": values[1], "c": values[2]}
    whole = {"a": 1, "c": -1}
    found = part_interval(whole, whole, processes)
    assert found is None or found == (pytest.approx(1.0), pytest.approx(1.0))
    product = factor_interval({"a": 1, "b": 0, "c": -1}, processes)
    assert product == factor_interval(whole, processes)


def test_the_interval_of_several_steps_covers_their_product() -> None:
    found = factor_interval(
        {"a": 1, "b": -1, "c": 1, "d": -1},
        {"a": [4.0, 4.1], "b": [2.0, 2.1], "c": [3.0, 3.1], "d": [1.0, 1.1]},
    )
    assert found is not None and found.low < 4.05 / 2.05 * 3.05 / 1.05 < found.high


def test_flags_of_every_rung_stand_beside_the_speedup() -> None:
    busy = Flag(name="busy-machine", detail="others took 75%")
    found = repeated(0.01, 2, busy)
    assert list(found.flagged) == ["busy-machine"] and len(found.flagged["busy-machine"]) == 2
    assert speedups.row(found)[-1] == "busy-machine"
    assert speedups.plain(found)["flagged"] == found.flagged
