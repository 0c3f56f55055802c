"""The language of claims and audits: what it says, and that no text makes it do anything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.claims.sources import Tables
from papers.expressions import (
    Evaluator,
    ExpressionError,
    Missing,
    Quantity,
    Row,
    columns_used,
    parse,
    tables_used,
)
from papers.expressions.syntax import FUNCTIONS

FALLING = {"1": 8.0, "2": 4.0, "4": 2.0}


def exact(value: float) -> Quantity:
    return Quantity(value, value, value)


SOURCE = Tables(
    {
        "t": [
            Row(
                {"model": model, "batch": batch},
                {
                    "a": exact(value * factor),
                    "b": Quantity(value, value - 1, value + 1),
                    "c": "oom: no",
                },
            )
            for model, factor in (("x", 1.0), ("y", 3.0))
            for batch, value in FALLING.items()
        ],
        "u": [Row({"model": "x"}, {"only": exact(5), "gone": "not run"})],
        "s": [
            Row({"model": name}, {"a": exact(a), "size": exact(size), "near": Quantity(1, 0, 2)})
            for name, a, size in (("p", 2, 0.5), ("q", 3, 0.1), ("r", 5, 0.1), ("s", 4, 0.7))
        ],
    }
)  # fmt: skip


def truth(text: str) -> str:
    return Evaluator(SOURCE, {"tolerance": 0.5}).truth(parse(text)).state


def number(text: str) -> Quantity:
    return Evaluator(SOURCE, {"tolerance": 0.5}).number(parse(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 4 - 3", 3),
        ("12 / 3 / 2", 2),
        ("-2 * 3", -6),
        ("2 - -3", 5),
        ("tolerance * 2", 1),
        ("u.only", 5),
        ("t.a[model=x, batch=2]", 4),
        ("t.a[model=y, batch=4] / t.a[model=x, batch=4]", 3),
        ("max(t.a)", 24),
        ("min(t.a[model=x])", 2),
        ("mean(t.a[model=x])", 14 / 3),
        ("median(t.a[model=x or y, batch>=2])", 5),
        ("spread(t.a[model=x])", 4),
        ("abs(1 - 3)", 2),
        ("share(t, a > 6)", 0.5),
        ("trend(t.a[model=x], batch)", -1),
        ("trend(s.a, size)", -1 / 6),  # q and r stand at one place: no pair in order, nor out
        ("trend(s.a[model!=r], size)", 1 / 3),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert number(text)[:3] == pytest.approx(exact(value)[:3])


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("1 < 2", "holds"),
        ("2 <= 2", "holds"),
        ("2 < 2", "does not hold"),
        ("1 < 2 < 3", "holds"),
        ("1 < 3 < 2", "does not hold"),
        ("1 = 1 and 1 == 1 and 1 != 2", "holds"),
        ("1 > 2 or 3 >= 3", "holds"),
        ("not 1 > 2", "holds"),
        ("not not 1 > 2", "does not hold"),
        # 8 (7 to 9) against a number: certain outside, not inside.
        ("t.b[model=x, batch=1] > 6", "holds"),
        ("t.b[model=x, batch=1] > 8", "undecided"),
        ("t.b[model=x, batch=1] > 9", "does not hold"),
        ("t.b[model=x, batch=1] == 8", "undecided"),
        ("t.b[model=x, batch=1] == 10", "does not hold"),
        ("near(u.only, 5.4, tolerance)", "holds"),
        ("near(u.only, 6, tolerance)", "does not hold"),
        ("every(t, a > 0)", "holds"),
        ("every(t, a > 2)", "does not hold"),
        ("every(t, b > 2)", "undecided"),
        ("every(t[batch<=2], b > 5)", "does not hold"),
        ("every(t[batch=1 or 2], b > 3.5)", "undecided"),
        ("some(t, a > 20)", "holds"),
        ("some(t, a > 24)", "does not hold"),
        ("every(t by model, trend(a, batch) <= -tolerance)", "holds"),
        ("every(t by model, spread(a) == 4)", "holds"),
        ("every(t by model, falling(a, batch))", "holds"),
        ("every(t by model and batch, max(a) == min(a))", "holds"),
        ("rising(t.a[model=x], batch)", "does not hold"),
        ("rising(t.a[model=x], batch, 0.5)", "holds"),
        ("every(t[model=y], a == 3 * t.a[batch, model=x])", "holds"),
        ("every(t, a * batch == max(t.a[model]))", "holds"),
        ("oom(t.c[model=x, batch=1])", "holds"),
        ("oom(u.only)", "does not hold"),
        ("every(t[batch=1], oom(c) and not oom(a))", "holds"),
        # What decides alone decides, whatever the other side lacks.
        ("u.gone > 1 and 2 < 1", "does not hold"),
        ("u.gone > 1 or 1 < 2", "holds"),
        # What may yet decide alone leaves it open.
        ("u.gone > 1 and t.b[model=x, batch=1] > 8", "undecided"),
        ("t.b[model=x, batch=1] > 8 or u.gone > 1", "undecided"),
    ],
)
def test_truths(text: str, state: str) -> None:
    assert truth(text) == state


def test_rows_without_a_number_are_told_and_left_out() -> None:
    found = Evaluator(
        Tables({"t": [Row({"k": "1"}, {"a": exact(2)}), Row({"k": "2"}, {"a": "not run"})]})
    ).truth(parse("every(t, a > 1)"))
    assert (found.state, found.why) == ("holds", "1 of 1 hold, 1 without a number")


def test_what_speaks_against_a_statement_is_named() -> None:
    assert Evaluator(SOURCE).truth(parse("every(t[model=x], a > 3)")).why == (
        "2 of 3 hold, but not model x, batch 4: a is 2, expected more than 3"
    )


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("u.gone > 1", "not run"),
        ("every(t, u.gone > 1)", "not run"),
        ("max(t.c) > 1", "oom: no"),
        ("1 / (u.only - 5) > 1", "a division by what may be zero"),
        ("v.a > 1", "no table v"),
        ("t.a[model=x, batch=9] > 1", "no row for t.a"),
        ("oom(u.gone)", "not run"),
        ("spread(t.a[model=x, batch=1]) < 2", "fewer than two rows"),
        ("spread(t.a[model=x, batch=1]) < 2 < 3", "fewer than two rows"),
        ("trend(t.a[model=x, batch=1], batch) > 0", "fewer than two rows"),
        ("trend(s.a, near) > 0", "rows can't be ordered by near: it isn't exact"),
        ("trend(u.only, gone) > 0", "not run"),
    ],
)
def test_what_is_not_there_is_no_verdict(text: str, reason: str) -> None:
    with pytest.raises(Missing, match=f"^{reason}$"):
        truth(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "found the end where a number, a table"),
        ("1 <", "found the end"),
        ("1 < 2 )", r"found '\)' at character 7 where the end should stand"),
        ("1 @ 2", "unexpected '@' at character 3"),
        ("evry(t, a > 1)", "no function 'evry'. Did you mean 'every'"),
        ("near(1, 2)", "near takes 3 arguments, not 2"),
        ("every(t)", "every takes 2 arguments, not 1"),
        ("1 + 1", "a number stands where a comparison should"),
        ("(1 < 2) + 1 > 1", "a comparison stands where a number should"),
        ("t.a > 1", "t.a has 6 rows where one number should stand; narrow it"),
        ("t.z[model=x, batch=1] > 1", "no column 'z'. .*Accepted: a, b, c"),
        ("t.a[mdel=x] > 1", "no key 'mdel'. Did you mean 'model'.*Accepted: model, batch"),
        ("tolerence > 1", "'tolerence' stands for nothing here. Did you mean 'tolerance'"),
        ("t.a[model] > 1", "means the row in hand, and there is none"),
        ("t.a[model>=2] > 1", "compares what is no number"),
        ("1 and 2 < 3", "a number stands where a comparison should"),
        ("(" * 60 + "1" + ")" * 60, "nested more than 40 deep"),
        ("1 + " * 600 + "1 > 0", "2,405 characters; 2,000 are allowed"),
        ("t.__class__ > 1", "no column '__class__'"),
        ("import os", "found 'os'"),
    ],
)  # fmt: skip
def test_an_expression_that_cannot_be_used_says_why(text: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        truth(text)


def test_an_expression_has_a_budget() -> None:
    rows = [Row({"k": str(n)}, {"a": exact(n)}) for n in range(500)]
    text = "every(t, some(t, every(t, a >= 0)))"
    with pytest.raises(ExpressionError, match="takes more than 200,000 steps"):
        Evaluator(Tables({"t": rows})).truth(parse(text))


def test_the_places_that_an_expression_names() -> None:
    node = parse("every(t[model=x], a > u.only) and max(t.b) > 1")
    assert tables_used(node) == {"t", "u"}
    assert {(p.table, p.column) for p in columns_used(node)} == {
        ("t", "a"), ("u", "only"), ("t", ""), ("t", "b"),
    }  # fmt: skip


PIECES = st.sampled_from(
    [*FUNCTIONS, "t", "u", "a", "b", "c", "model", "batch", "tolerance", "x", "1", "2.5", "(", ")",
     "[", "]", ",", ".", "<", "<=", "=", "!=", "+", "-", "*", "/", "and", "or", "not", "by", "'"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map(" ".join)))
def test_any_text_is_a_truth_or_an_error_of_its_own(text: str) -> None:
    try:
        found = Evaluator(SOURCE, {"tolerance": 0.5}).truth(parse(text))
    except (ExpressionError, Missing):
        return
    assert found.state in ("holds", "does not hold", "undecided")


@given(st.floats(-1e6, 1e6), st.floats(0, 10), st.floats(-1e6, 1e6), st.floats(0, 10))
def test_intervals_hold_what_their_points_give(a: float, da: float, b: float, db: float) -> None:
    table = Tables(
        {"t": [Row({}, {"a": Quantity(a, a - da, a + da), "b": Quantity(b, b - db, b + db)})]}
    )
    for text in ("t.a + t.b", "t.a - t.b", "t.a * t.b", "abs(t.a)", "t.a / t.b"):
        try:
            found = Evaluator(table).number(parse(text))
        except Missing:
            continue
        assert found.low <= found.value <= found.high
