"""A speedup from rung to rung: what each step takes off, drawn between the two times."""

from __future__ import annotations

from comparisons.decomposition import Explanation
from comparisons.factors import Factor
from comparisons.intervals import Interval
from tui.views.speedups import waterfall


def _explained(rungs: list[tuple[str, float]], factors: list[Factor]) -> Explanation:
    return Explanation(
        source="measured", point={}, baseline="a", technique="c", total=2.0, factors=factors,
        rungs=rungs,
    )  # fmt: skip


def test_each_step_is_drawn_between_its_two_times() -> None:
    interval = Interval(3.5, 4.5)
    item = _explained(
        [("a", 80.0), ("b", 20.0), ("c", 40.0)],
        [Factor("compiler", 4.0, 0.6, interval), Factor("precision", 0.5, 0.4)],
    )
    a, first, b, second, c = (line.plain for line in waterfall(item, 108, lambda tone: ""))
    assert a == "  a" + " " * 23 + "█" * 40 + "  80 ms a call"
    assert first == "    compiler" + " " * 24 + "░" * 30 + "  −60 ms, 4.00x [3.50, 4.50]"
    assert b.rstrip().endswith("20 ms a call") and b.count("█") == 10
    assert "▓" * 10 in second and "░" not in second
    assert second.endswith("+20 ms, 0.50x  slowdown")
    assert c.count("█") == 20


def test_without_times_there_is_no_waterfall() -> None:
    item = _explained([("a", 0.0), ("c", 0.0)], [Factor("precision", 2.0, 1.0)])
    assert list(waterfall(item, 100, lambda tone: "")) == []
