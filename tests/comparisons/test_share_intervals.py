"""How certain a factor's share of a speedup is."""

from __future__ import annotations

import random
from math import log

import pytest

from comparisons.contrasts import part_interval
from comparisons.decomposition import Explanation, explain_measured
from comparisons.factors import Factor
from comparisons.intervals import Interval
from comparisons.points import Points
from comparisons.render import speedups
from manifests.manifest import Manifest
from papers.ladders import Ladders, framework_rungs
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

LADDERS = Ladders(list(framework_rungs()))
TRIALS = 300


@pytest.mark.parametrize("processes", [3, 5])
@pytest.mark.parametrize(("first", "second"), [(2.0, 3.0), (1.1, 1.09)])
def test_nineteen_of_twenty_intervals_hold_the_true_share(
    processes: int, first: float, second: float
) -> None:
    """Of a speedup of 6 and of one of 1.2, at 5 % noise; none is an interval of everything."""
    source = random.Random(processes)
    true = log(first) / log(first * second)
    held = 0
    for _ in range(TRIALS):
        times = {
            name: [middle * source.lognormvariate(0.0, 0.05) for _ in range(processes)]
            for name, middle in (("a", first * second), ("b", second), ("c", 1.0))
        }
        found = part_interval({"a": 1, "b": -1}, {"a": 1, "c": -1}, times)
        held += found is None or found.low <= true <= found.high
    assert held >= 0.92 * TRIALS


def test_a_share_of_what_may_be_no_speedup_may_be_anything() -> None:
    factor = Factor("precision", 1.1, 0.6, Interval(0.9, 1.3), None)
    assert speedups.factor(factor) == "precision 1.10 [0.90, 1.30] (60%, may be anything)"
    assert speedups.share(factor._replace(share_interval=Interval(0.2, 0.9))) == " (60% [20%, 90%])"
    assert speedups.share(factor._replace(interval=None)) == " (60%)"  # of one process


def called(protocol: str, technique: str, seconds: float, repeat: int, steps: int) -> Manifest:
    cell = a_cell(
        framework="tensorflow", technique=technique, protocol=protocol, batch_size=64,
        task="infer", repeat=repeat,
    )  # fmt: skip
    return measured(
        cell, metric("latency_s", seconds * (1 + 0.001 * repeat)),
        metric("steps_per_call", float(steps)),
    )  # fmt: skip


def split(repeats: int, whole: int) -> Explanation:
    """``predict()`` in two steps beside the same in one, which ``whole`` processes measured."""
    manifests = [
        called("as-published", technique, seconds, n, steps)
        for technique, seconds, steps in (("keras-predict", 0.06, 2), ("signature", 0.02, 1))
        for n in range(repeats)
    ] + [called("rigorous", "keras-predict", 0.04, n, 1) for n in range(whole)]
    plan = a_plan(*(manifest.cell for manifest in manifests))
    found = explain_measured(plan, Points(plan.cells, manifests), LADDERS)
    return next(item for item in found if item.source == "measured, as-published")


def test_the_splitting_of_a_batch_has_an_interval_too() -> None:
    found = split(4, 3)
    assert [factor.kind for factor in found.factors] == ["batch splitting", "calling convention"]
    assert found.n == 3
    for factor, value in zip(found.factors, (1.5, 2.0), strict=True):
        assert factor.interval is not None
        assert factor.interval.low < value < factor.interval.high
        assert factor.share is not None
        assert factor.share_interval is not None
        assert factor.share_interval.low < factor.share < factor.share_interval.high


def test_one_process_of_any_rung_is_no_interval_and_said() -> None:
    found = split(4, 1)
    assert found.n == 1
    assert {(f.interval, f.share_interval) for f in found.factors} == {(None, None)}
    assert speedups.NO_INTERVAL.startswith("n = 1: no interval: one process.")
    assert speedups.plain(found)["no_interval"] == "one process"
    assert speedups.plain(split(4, 3))["no_interval"] == ""
