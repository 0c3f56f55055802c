"""What a verdict on an expression says in words, and how long it gets."""

from __future__ import annotations

import pytest

from comparisons.claims.sources import Tables
from papers.expressions import Evaluator, Quantity, Row, parse
from papers.expressions.quantities import Heading, Titled


def exact(value: float) -> Quantity:
    return Quantity(value, value, value)


SIZED = Tables(
    {
        "m": [
            Row({"model": name}, {"used": value, "free": exact(0.5), "needed": exact(need)}, "m")
            for name, value, need in (("x", Quantity(0.22, 0.215, 0.225), 0.36), ("y", exact(4), 1))
        ]
    },
    {
        "m": Titled(
            "Table 4",
            {"used": Heading("memory", "GiB", "GB"), "free": Heading("free share", "%", "%")},
        )
    },
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "every(m, used >= needed)",
            "1 of 2 hold in Table 4, but not model x: memory is 0.22 GB (0.215 to 0.225), "
            "expected at least 0.36 GiB = needed",
        ),
        # What stands in the table is the subject, on whichever side it was written.
        (
            "1 < m.used[model=x]",
            "memory of Table 4 (model x) is 0.22 GB (0.215 to 0.225), expected more than 1 GiB",
        ),
        (
            "m.used[model=y] <= m.used[model=x]",
            "memory of Table 4 (model y) is 4 GB, expected at most 0.22 GB (0.215 to 0.225) = "
            "memory of Table 4 (model x)",
        ),
        (
            "2 - tolerance <= m.used[model=y] <= 3 + tolerance",
            "memory of Table 4 (model y) is 4 GB, expected at most 3.5 GiB (tolerance 0.5)",
        ),
        (
            "abs(m.free[model=x] - 3) < tolerance",
            "distance between free share of Table 4 (model x) and 3 is 2.5 points, "
            "expected less than 0.5 points (the tolerance)",
        ),
        (
            "near(m.used[model=y] * 1073741824 / 1000000000000, 1, 0.00005)",
            "memory of Table 4 (model y) × 2^30 / 10^12 is 0.004295, expected 1 (within 0.00005)",
        ),
        (
            "falling(m.needed, model)",
            "needed of Table 4 along model is 0.36, 1, expected never to rise",
        ),
        (
            "rising(m.free, model, 0.02) and 1 > 2",
            "1, expected more than 2",
        ),
        ("not 1 < 2", "not so: 1, expected less than 2"),
        ("oom(m.used[model=y])", "memory of Table 4 (model y) is 4 GB"),
        ("max(m.used) == 12 - (3 - 1)", "largest memory of Table 4 is 4 GB, expected 10 GiB"),
        ("m.used[model=y] - (1 - tolerance) > 12", (
            "memory of Table 4 (model y) - (1 - tolerance) is 3.5 GB, expected more than 12 GiB"
        )),
    ],
)  # fmt: skip
def test_what_was_compared_is_said_in_words(text: str, why: str) -> None:
    assert Evaluator(SIZED, {"tolerance": 0.5}).truth(parse(text)).why == why


def test_a_long_expression_is_cut_in_words() -> None:
    text = " + ".join(["m.used[model=y]"] * 60)
    assert len(Evaluator(SIZED).truth(parse(f"{text} < 1")).why) < 300
