"""Expressions on measured numbers: what becomes a contrast of logarithms, and how it is decided."""

from __future__ import annotations

import math
import random

import pytest

from comparisons.claims.atoms import Atoms, interval
from comparisons.claims.wanted import images_would_decide
from comparisons.sequential.partners import Process, Series
from papers.expressions import Evaluator, Row, parse
from papers.expressions import quantities as q
from papers.expressions.forms import Leaf
from papers.expressions.logic import Share, count, shares

SPREAD = 0.02


def a_number(value: float, processes: int = 8, seed: int = 0) -> q.Quantity:
    """As measured by that many processes that scatter by 2 %."""
    source = random.Random(f"{value}{seed}")
    made = [value * math.exp(source.gauss(0, SPREAD)) for _ in range(processes)]
    series = Series([Process(f"{value}-{n}", n, one, 5.0) for n, one in enumerate(made)])
    return q.disturbed(value, q.NO_DOUBTS, Leaf(series))


class Table:
    """Rows by a key with the columns a and b."""

    def __init__(self, *rows: tuple[q.Quantity, q.Quantity]) -> None:
        self.headings: q.Headings = {}
        self._rows = [
            Row({"batch": str(2**index)}, {"a": a, "b": b}, "t")
            for index, (a, b) in enumerate(rows)
        ]

    def rows(self, table: str) -> list[Row]:
        return self._rows


def judged(text: str, *rows: tuple[float, float], processes: int = 8) -> tuple[str, Atoms]:
    table = Table(*((a_number(a, processes), a_number(b, processes, 1)) for a, b in rows))
    node = parse(text)
    first = Evaluator(table, {}, Atoms()).truth(node)
    atoms = Atoms(dict(shares(first.logic)))
    return Evaluator(table, {}, atoms).truth(node).state, atoms


@pytest.mark.parametrize(
    ("text", "rows", "state"),
    [
        ("t.a[batch=1] < t.b[batch=1]", [(1, 1.2)], "holds"),
        ("t.a[batch=1] > t.b[batch=1]", [(1, 1.2)], "does not hold"),
        ("t.a[batch=1] <= t.b[batch=1] * (1 + 0.5)", [(1.2, 1)], "holds"),
        ("t.a[batch=1] <= t.b[batch=1] * (1 + 0.2)", [(1.2, 1)], "undecided"),
        ("t.a[batch=1] < 1.1", [(1, 1)], "holds"),
        ("t.a[batch=1] == t.b[batch=1]", [(1, 1.2)], "does not hold"),
        ("t.a[batch=1] != t.b[batch=1]", [(1, 1.2)], "holds"),
        ("t.a[batch=1] == t.b[batch=1]", [(1, 1)], "undecided"),
        ("(1 - t.b[batch=1] / t.a[batch=1]) * 100 > 70", [(4, 1)], "holds"),  # 75 % less
        ("(t.b[batch=1] / t.a[batch=1] - 1) * 100 > 200 - 30", [(1, 3.2)], "holds"),
        ("near((1 - t.b[batch=1] / t.a[batch=1]) * 100, 75, 2)", [(4, 1)], "holds"),
        ("near((1 - t.b[batch=1] / t.a[batch=1]) * 100, 60, 2)", [(4, 1)], "does not hold"),
        ("t.a[batch=1] - t.b[batch=1] > 0.5", [(2, 1)], "holds"),
        ("t.a[batch=1] - t.b[batch=1] < 0.5", [(2, 1)], "does not hold"),
        ("abs(t.a[batch=1] - t.b[batch=1]) >= 0.5", [(1, 2)], "holds"),
        ("abs(t.a[batch=1] - t.b[batch=1]) <= 0.5", [(1, 2)], "does not hold"),
        ("spread(t.a) <= 1.3", [(1, 1), (1.1, 1), (1.05, 1)], "holds"),
        ("spread(t.a) <= 1.3", [(1, 1), (1.6, 1), (1.05, 1)], "does not hold"),
        ("trend(t.a, batch) >= 0.6", [(1, 1), (1.3, 1), (1.7, 1), (2.2, 1)], "holds"),
        ("trend(t.a, batch) >= 0.6", [(4, 1), (3, 1), (2, 1), (1.5, 1)], "does not hold"),
        ("trend(t.a, batch) >= 1", [(1, 1), (1.3, 1), (1.7, 1), (2.2, 1)], "holds"),
        ("rising(t.a, batch)", [(1, 1), (1.3, 1), (1.7, 1)], "holds"),
        ("rising(t.a, batch)", [(1, 1), (1.3, 1), (1, 1)], "does not hold"),
        ("falling(t.a, batch, 0.1)", [(3, 1), (2, 1), (2, 1)], "holds"),
        ("max(t.a) < 2", [(1, 1), (1.5, 1)], "holds"),
        ("max(t.a) < 2", [(1, 1), (2.5, 1)], "does not hold"),
        ("min(t.a) < 2", [(1, 1), (2.5, 1)], "holds"),
        ("mean(t.a) < 2", [(1, 1), (1.5, 1)], "holds"),
        ("every(t, a < b)", [(1, 1.3), (2, 3)], "holds"),
        ("every(t, a < b)", [(1, 1.3), (3, 2)], "does not hold"),
        ("some(t, a < b)", [(1, 0.7), (2, 3)], "holds"),
        ("some(t, a < b)", [(1, 0.7), (3, 2)], "does not hold"),
        ("not every(t, a < b)", [(1, 1.3), (3, 2)], "holds"),
        ("share(t, a < b) >= 0.5", [(1, 1.3), (3, 2)], "holds"),
        # (b/a - 1) of two rows, one over the other: 200 % over 100 %
        (
            "near((t.b[batch=1] / t.a[batch=1] - 1) / (t.b[batch=2] / t.a[batch=2] - 1), 2, 0.7)",
            [(1, 3), (1, 2)],
            "holds",
        ),
        # the divisor may be nothing, and the quotient anything
        (
            "(t.b[batch=1] / t.a[batch=1] - 1) / (t.b[batch=2] / t.a[batch=2] - 1) > 2",
            [(1, 3), (1, 1.001)],
            "undecided",
        ),
    ],
)
def test_comparisons_of_measured_numbers_are_decided_by_looks(
    text: str, rows: list[tuple[float, float]], state: str
) -> None:
    assert judged(text, *rows)[0] == state


@pytest.mark.parametrize("processes", [1, 2, 3])
def test_with_fewer_than_four_processes_nothing_measured_is_decided(processes: int) -> None:
    for text in ("t.a[batch=1] < t.b[batch=1]", "every(t, a < 9)", "trend(t.a, batch) > 0"):
        assert judged(text, (1, 5), (2, 9), processes=processes)[0] == "undecided"


def test_a_quotient_of_positive_numbers_is_above_zero_before_any_look() -> None:
    assert judged("t.a[batch=1] / t.b[batch=1] > 0", (1, 5), processes=1)[0] == "holds"


def test_a_percentage_is_compared_as_the_logarithm_of_its_quotient() -> None:
    """(b / a - 1) * 100 <= 50 and b <= a * 1.5 are one question."""
    _, percent = judged("(t.b[batch=1] / t.a[batch=1] - 1) * 100 <= 50", (1, 1.45))
    _, plain = judged("t.b[batch=1] <= t.a[batch=1] * 1.5", (1, 1.45))
    found = [atoms.made[0].decision for atoms in (percent, plain)]
    assert found[0] is not None and found[1] is not None
    assert found[0].distance == pytest.approx(found[1].distance)
    assert found[0].last is not None and found[1].last is not None
    assert found[0].last.scatter == pytest.approx(found[1].last.scatter)
    assert found[0].last.freedom == 3 * 4 - 1


def test_what_cancels_is_compared_without_the_scatter_of_what_all_have_in_common() -> None:
    """a / b < c / d at 10 % and 2 % noise: contrasts of logarithms decide it at six a side."""
    table = Table(
        (a_number(1.0, 6, 1), a_number(1.0, 6, 2)), (a_number(1.1, 6, 3), a_number(1.0, 6))
    )
    test = parse("t.a[batch=1] / t.b[batch=1] < t.a[batch=2] / t.b[batch=2]")
    atoms = Atoms()
    assert Evaluator(table, {}, atoms).truth(test).state == "holds"
    (made,) = atoms.made
    assert made.decision is not None and made.decision.last is not None
    quadruples = made.decision.look // 2
    assert made.decision.last.freedom == 2 * quadruples * 4 - quadruples - 4 + 1


@pytest.mark.parametrize(
    ("text", "comparisons"),
    [
        ("every(t, a < b)", 3),
        ("near(t.a[batch=1], 1, 1)", 2),
        ("spread(t.a) < 2", 6),  # all ordered pairs
        ("trend(t.a, batch) > 0.5", 3),
        ("abs(t.a[batch=1] - 1) < 2", 2),
        ("rising(t.a, batch)", 2),
        ("every(t by batch, a < b and a > 0.5)", 6),
        ("3 < 4", 0),
    ],
)
def test_the_error_is_shared_among_so_many_comparisons(text: str, comparisons: int) -> None:
    table = Table(*((a_number(a), a_number(b, seed=1)) for a, b in ((1, 2), (3, 4), (5, 6))))
    assert count(Evaluator(table, {}, Atoms()).truth(parse(text)).logic) == comparisons


def parts(text: str) -> list[Share]:
    table = Table(*((a_number(a), a_number(b, seed=1)) for a, b in ((1, 2), (3, 4))))
    logic = Evaluator(table, {}, Atoms()).truth(parse(text)).logic
    return [share for _, share in sorted(shares(logic))]


def test_what_one_comparison_decides_alone_takes_its_part_of_the_error() -> None:
    a, b = "t.a[batch=1] < 9", "t.b[batch=2] < 9"
    assert parts(a) == [Share(1, 1)]
    assert parts(f"{a} and {b}") == [Share(1, 0.5)] * 2
    assert parts(f"{a} or {b}") == [Share(0.5, 1)] * 2
    assert parts(f"not ({a} and {b})") == [Share(1, 0.5)] * 2
    assert parts(f"not {a} and {b}") == [Share(0.5, 1), Share(1, 0.5)]
    assert parts(f"{a} and ({a} or {b})") == [Share(1, 1 / 3), Share(0.5, 2 / 3), Share(0.5, 2 / 3)]
    assert parts("share(t, a < b) > 0.5") == [Share(0.5, 0.5)] * 2


def test_an_interval_of_a_quotient_is_that_of_its_contrast() -> None:
    a, b = a_number(2.0, 4), a_number(1.0, 4, 1)
    quotient = q.divide(a, b)
    assert quotient.form is not None
    low, high = interval(quotient.form)
    logs = [[math.log(p.value or 0) for p in series_of(one)] for one in (a, b)]
    centre = math.exp(sum(logs[0]) / 4 - sum(logs[1]) / 4)
    assert low < centre < high
    assert math.sqrt(low * high) == pytest.approx(centre)


def series_of(number: q.Quantity) -> list[Process]:
    assert isinstance(number.form, Leaf) and isinstance(number.form.series, Series)
    return number.form.series.processes


@pytest.mark.parametrize(
    "text", ["a + b", "a * b - 2", "a / b", "(a / b - 1) * 100", "1 / (a - b)"]
)
def test_slopes_are_those_of_small_steps(text: str) -> None:
    a, b = a_number(3.0), a_number(1.5, seed=1)
    both = {"a": a, "b": b}
    table = Table((a, b))
    quantity = Evaluator(table, {}, Atoms()).number(parse(text), table.rows("t"))
    assert quantity.form is not None
    leaves = {name: one.form.series for name, one in both.items() if isinstance(one.form, Leaf)}
    means = {leaves["a"]: 3.0, leaves["b"]: 1.5}
    found = quantity.form.at(means)
    step = 1e-6
    for series in means:
        moved = quantity.form.at({**means, series: means[series] * math.exp(step)})
        assert (moved.value - found.value) / step == pytest.approx(found.slopes[series], rel=1e-4)


def test_shares_of_the_error_stay_with_their_comparisons_whatever_those_decide() -> None:
    """A pair that is certain by itself, and not with its part of the error, moves no other."""
    rows = [(1.0, 1.0), (1.07, 1.0), (1.2, 1.0)]
    text = "trend(t.a, batch) >= 0.6 and t.a[batch=1] < t.a[batch=4]"
    _, atoms = judged(text, *rows, processes=4)
    assert len(atoms.made) == 4
    assert atoms.made[-1].state == "holds"


def test_of_many_intervals_of_images_one_has_to_be_further_off_to_fail_alone() -> None:
    def row(value: float) -> tuple[q.Quantity, q.Quantity]:
        return q.Quantity(value, value - 1, value + 1), q.exactly(0)

    for rows, state in ((1, "does not hold"), (24, "undecided")):
        table = Table(*[row(1.1), *[row(-9.0)] * (rows - 1)])
        node = parse("every(t, a <= b)")
        first = Evaluator(table, {}, Atoms()).truth(node)
        atoms = Atoms(dict(shares(first.logic)))
        assert Evaluator(table, {}, atoms).truth(node).state == state


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (9.5, "about 16 times as many test images"),
        (9.93, "about 800 times as many test images"),
        (10.0, "no number of test images that can be had: the accuracies are too close"),
    ],
)
def test_what_test_images_leave_open_says_how_many_more_would_decide(
    other: float, words: str
) -> None:
    """Intervals of 1 on both sides of each: they part at (2 / (10 - other)) squared."""
    table = Table((q.Quantity(10.0, 9.0, 11.0), q.Quantity(other, other - 1, other + 1)))
    atoms = Atoms()
    assert Evaluator(table, {}, atoms).truth(parse("every(t, a > b)")).state == "undecided"
    assert images_would_decide(atoms.made) == words


def test_what_intervals_decide_asks_for_no_images() -> None:
    table = Table((q.Quantity(10.0, 9.0, 11.0), q.Quantity(7.0, 6.0, 8.0)))
    atoms = Atoms()
    assert Evaluator(table, {}, atoms).truth(parse("every(t, a > b)")).state == "holds"
    assert images_would_decide(atoms.made) == ""
