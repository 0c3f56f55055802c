"""What counts as one observation: runs, processes of two runs, processes measured in turn."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import exp

import pytest

from comparisons.differences import Difference, Differences, compare_runs, make_side
from comparisons.observations import FEW_RUNS, NO_SPREAD, TWO_RUNS
from comparisons.quadruples import Timed, contrast, quadruples
from comparisons.render import differences as words
from manifests.manifest import Manifest
from tests.comparisons.samples import a_run, measured, metric, only, processes
from tests.manifests.samples import a_cell

COMPARISONS = 100
CELLS = 8


def against(base: Sequence[list[Manifest]], new: Sequence[list[Manifest]]) -> Differences:
    """Runs against runs."""
    sides = [
        make_side([(f"{name}{n}", run) for n, run in enumerate(runs)])
        for name, runs in (("a", base), ("b", new))
    ]
    return compare_runs(*sides)


def decided(found: Differences) -> bool:
    return any(line.verdict in ("faster", "slower") for line in found.lines)


@pytest.mark.first(1)
@pytest.mark.parametrize(("runs", "repeats"), [(3, 1), (3, 3), (5, 2)])
def test_what_a_run_was_like_is_no_difference_between_configurations(
    runs: int, repeats: int
) -> None:
    """Cells, each of which a run makes faster or slower by 2 %: A/A, all verdicts together."""
    source = random.Random(runs * repeats)
    false = 0
    for _ in range(COMPARISONS):
        sides = [[a_run(source, CELLS, repeats, 0.02) for _ in range(runs)] for _ in "ab"]
        false += decided(against(*sides))
    assert false <= 0.05 * COMPARISONS


def test_a_run_that_is_slow_as_a_whole_is_no_difference_between_configurations() -> None:
    source = random.Random(9)
    false = 0
    for _ in range(COMPARISONS):
        sides = [
            [a_run(source, CELLS, 2, 0.0, source.lognormvariate(0.0, 0.02)) for _ in range(3)]
            for _ in "ab"
        ]
        false += decided(against(*sides))
    assert false <= 0.05 * COMPARISONS


def test_a_difference_between_configurations_is_found_over_runs() -> None:
    source = random.Random(2)
    sides = [[a_run(source, 3, 2, 0.01, middle) for _ in range(5)] for middle in (1.0, 1.2)]
    found = against(*sides)
    assert [(line.verdict, line.why, line.observed) for line in found.lines] == [
        ("slower", "", "run")
    ] * 3
    assert words.count(found.lines[0]) == "5/5 runs"
    assert not any("one run a side" in line for line in words.summary(found, ("a", "b")))


def test_two_runs_differ_and_say_no_more() -> None:
    source = random.Random(2)
    found = against(*[[a_run(source, 1, 8, 0.0, middle)] for middle in (1.0, 1.2)])
    (line,) = found.lines
    assert (line.verdict, line.why, line.observed) == ("slower", TWO_RUNS, "process")
    told = words.summary(found, ("a", "b"))
    assert "slower, once: these two runs differ" in told
    assert any(text.startswith("one run a side: ") for text in told)


@pytest.mark.parametrize(("base", "new"), [(2, 2), (1, 3), (3, 2)])
def test_fewer_than_three_runs_tell_nothing_of_configurations(base: int, new: int) -> None:
    source = random.Random(2)
    sides = [
        [a_run(source, 1, 8, 0.0, middle) for _ in range(runs)]
        for runs, middle in ((base, 1.0), (new, 2.0))
    ]
    (line,) = against(*sides).lines
    assert (line.verdict, line.why, line.p, line.n_base) == ("undecided", FEW_RUNS, None, base)


def in_turn(order: str, base: Sequence[float], new: Sequence[float]) -> Difference:
    """One process after the other, a minute apart, each in a run of its own."""
    values = {"A": iter(base), "B": iter(new)}
    sides: dict[str, list[list[Manifest]]] = {"A": [], "B": []}
    for minute, side in enumerate(order):
        start = f"2026-11-26T05:{minute:02}:00+00:00"
        value = metric("latency_s", next(values[side]))
        sides[side].append([measured(a_cell(), value, started_at=start)])
    (line,) = against(sides["A"], sides["B"]).lines
    return line


def test_processes_measured_in_turn_are_compared_within_their_quadruples() -> None:
    """A machine that gets slower by 2 % all the time, which of one after the other were 8 %."""
    drift = [1.02**n for n in range(8)]
    noise = [1.001, 0.999, 1.0, 1.002, 0.998, 1.001, 0.999, 1.0]
    levels = [a * b for a, b in zip(drift, noise, strict=True)]
    order = "ABBABAAB"
    base = [level for level, side in zip(levels, order, strict=True) if side == "A"]
    new = [1.1 * level for level, side in zip(levels, order, strict=True) if side == "B"]
    line = in_turn(order, base, new)
    assert (line.verdict, line.observed, line.why) == ("slower", "quadruple", "")
    assert line.interval is not None
    assert line.interval.low < 1.1 < line.interval.high
    assert words.count(line) == "4/4 in turn"
    assert in_turn("AAAABBBB", base, new).observed == "run"


def test_a_contrast_of_quadruples_is_that_of_its_definition() -> None:
    """By hand: y of A 0, 0.02 and 0.04, 0.02; of B 0.1, 0.12 and 0.1, 0.12 (logarithms).

    Means of the quadruples 0.06 and 0.07; B - A 0.09. Left over 0.06 - 0.045 - 0 = 0.015 and so
    on: 0.015, 0.005, 0.005, 0.015 and 0.015, 0.005, 0.015, 0.005, whose squares are 0.001 together.
    Of 3 * 2 - 1 = 5 degrees: s^2 = 0.0002, se = s / sqrt(2) = 0.01, t = 9.
    """
    b = (exp(0.1), exp(0.12))
    found = contrast([((exp(0.0), exp(0.02)), b), ((exp(0.04), exp(0.02)), b)])
    assert found is not None
    assert found.p == pytest.approx(0.000281, abs=2e-6)
    # t(0.975, 5 degrees) = 2.570582.
    assert found.interval == pytest.approx((exp(0.09 - 0.02570582), exp(0.09 + 0.02570582)))


def test_one_quadruple_decides_nothing() -> None:
    assert contrast([((1.0, 1.01), (2.0, 2.01))]) is None


@pytest.mark.parametrize("order", ["ABAB", "AABB", "ABB", "ABBAABAB", "BABA"])
def test_other_orders_are_no_quadruples(order: str) -> None:
    sides = [
        [Timed(f"2026-11-26T05:{n:02}:00+00:00", 1.0) for n, one in enumerate(order) if one == side]
        for side in "AB"
    ]
    assert quadruples(*sides) is None


def test_processes_that_began_at_once_were_not_in_turn() -> None:
    same = "2026-11-26T05:00:00+00:00"
    assert quadruples([Timed(same, 1.0)] * 2, [Timed(same, 2.0)] * 2) is None
    assert quadruples([Timed("", 1.0)] * 2, [Timed("", 2.0)] * 2) is None


@pytest.mark.parametrize(
    ("base", "new"),
    [
        ([1.0, 1.0], [2.0, 2.0]),
        ([1.0, 1.0], [2.0, 2.0000000001]),
        ([1.0, 1.0000000001], [2.0, 2.0]),
        ([1.0, 1.0], [2.0, 2.01]),
    ],
)
def test_two_readings_without_spread_are_no_certainty(base: list[float], new: list[float]) -> None:
    line = only(processes("latency_s", base), processes("latency_s", new))
    assert line.verdict == "undecided"
    assert line.why == NO_SPREAD
    assert line.p is not None
    assert line.p > 0.3  # two of six orders of the four


def test_processes_in_turn_are_taken_node_by_node() -> None:
    """Two nodes at a time: by the clock alone, nothing would be in turn."""
    base = [Timed(f"2026-11-26T10:0{s}:00+00:00", 1.0 + s / 100, "a") for s in (0, 3)]
    base += [Timed(f"2026-11-26T10:0{s}:30+00:00", 3.0 + s / 100, "b") for s in (0, 3)]
    new = [Timed(f"2026-11-26T10:0{s}:00+00:00", 2.0 + s / 100, "a") for s in (1, 2)]
    new += [Timed(f"2026-11-26T10:0{s}:30+00:00", 6.0 + s / 100, "b") for s in (1, 2)]
    assert quadruples(base, new) == [
        ((1.0, 1.03), (2.01, 2.02)),
        ((3.0, 3.03), (6.01, 6.02)),
    ]
    assert quadruples([*base[:3], base[3]._replace(node="a")], new) is None
