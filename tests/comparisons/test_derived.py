"""Derived columns: honest tables are left alone, whatever digits they lost; errors are found."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.audit.chance import at_least
from comparisons.audit.derived import audit_derived, convention, derived_numbers
from comparisons.audit.derived_number import Derived
from papers.published import Column, PublishedRow, PublishedTable, TableFile
from tests.comparisons.printed_tables import (
    PRINTINGS,
    Deriving,
    Printing,
    derived,
    printed,
    table,
)

TABLES = 200


@pytest.mark.parametrize("how", PRINTINGS, ids=lambda how: how.name)
@pytest.mark.parametrize("from_printed", [True, False], ids=["printed parts", "unrounded parts"])
@pytest.mark.parametrize("rows", [4, 12, 60])
def test_an_honest_table_has_no_finding(how: Printing, from_printed: bool, rows: int) -> None:
    source = random.Random(rows)
    names = ("ratio", "reduction", "increase", "drop")
    places = ((1, 2), (2, 2), (2, 1), (0, 1), (2, 3))
    with_finding = 0
    for _ in range(TABLES):
        way = Deriving(source.choice(names), rows, from_printed, source.choice(places))
        with_finding += bool(audit_derived([derived(source, how, way)])[0])
    assert with_finding <= 0.01 * TABLES


@pytest.mark.parametrize("rows", [4, 12])
def test_what_is_rounded_off_a_part_of_several_ratios_is_one_chance(rows: int) -> None:
    """Four techniques over one baseline, which was printed with fewer digits than it had."""
    source, how = random.Random(3), PRINTINGS[1]
    found = [audit_derived([_over_one(source, how, rows)])[0] for _ in range(TABLES)]
    assert sum(map(bool, found)) <= 0.01 * TABLES


def _over_one(source: random.Random, how: Printing, rows: int) -> PublishedTable:
    names = [f"t{n}" for n in range(4)]
    columns = [Column(name=name, label=name, unit="ms") for name in ("base", *names)]
    columns += [
        Column(name=f"d{n}", label=f"d{n}", unit="×", derive={"ratio": ["base", name]})
        for n, name in enumerate(names)
    ]
    file = TableFile(id="t", title="T", place="Table T", key=["batch_size"], column=columns)
    made = []
    for row in range(rows):
        base, others = source.uniform(10, 90), [source.uniform(1, 9) for _ in names]
        texts = {"base": how.text(base, 1)}
        for n, (name, value) in enumerate(zip(names, others, strict=True)):
            texts |= {name: how.text(value, 4), f"d{n}": how.text(base / value, 2)}
        numbers = {name: printed(text) for name, text in texts.items()}
        made.append(PublishedRow({"batch_size": str(row)}, numbers))
    return PublishedTable(file, made, [])


def number(printed: str, first: str, second: str, name: str = "ratio") -> Derived:
    return Derived("t", "T", "T, row", "d", name, printed, first, second, "×")


def test_parts_may_have_been_rounded_or_cut_off() -> None:
    # 9.995 to 10.01 over 3.995 to 4.01 is 2.4925 to 2.5056.
    texts = [f"{n / 1000:.3f}" for n in range(2480, 2520)]
    possible = [text for text in texts if number(text, "10.00", "4.00").possible("cut off")]
    assert (possible[0], possible[-1], len(possible)) == ("2.492", "2.505", 14)
    assert number("10.0", "10.00", "4.00", "drop").possible("rounded") is False
    assert number("6.0", "10.00", "4.00", "drop").possible("rounded") is True


@pytest.mark.parametrize(
    ("text", "rounded", "cut_off"),
    [("2.50", True, True), ("2.49", False, True), ("2.51", False, False), ("2.48", False, False)],
)
def test_what_lies_on_the_grid_may_be_cut_off_a_digit_lower(
    text: str, rounded: bool, cut_off: bool
) -> None:
    found = number(text, "10.0", "4.0")
    assert (found.follows("rounded"), found.follows("cut off")) == (rounded, cut_off)


def test_a_negative_change_is_cut_off_towards_zero() -> None:
    # 1 - 40.4 / 30.0 is -34.666… %
    assert number("-34.6", "30.0", "40.4", "reduction").follows("cut off")
    assert not number("-34.7", "30.0", "40.4", "reduction").follows("cut off")
    assert number("-34.7", "30.0", "40.4", "reduction").follows("rounded")


@given(st.sampled_from(PRINTINGS), st.integers(0, 10**9), st.booleans())
def test_whatever_a_program_derives_is_possible(
    how: Printing, seed: int, from_printed: bool
) -> None:
    deriving = Deriving("ratio", 3, from_printed, (seed % 4, seed % 3))
    for one in derived_numbers([derived(random.Random(seed), how, deriving)]):
        assert one.possible("cut off" if "cut off" in how.name else "rounded")


@pytest.mark.parametrize("how", PRINTINGS, ids=lambda how: how.name)
@pytest.mark.parametrize("rows", [4, 12, 60])
@pytest.mark.parametrize("from_printed", [True, False], ids=["printed parts", "unrounded parts"])
def test_every_error_that_no_digits_could_give_is_certain(
    how: Printing, rows: int, from_printed: bool
) -> None:
    source = random.Random(rows)
    for _ in range(40):
        honest = derived(source, how, Deriving("ratio", rows, from_printed))
        row = source.randrange(rows)
        texts = {name: one.text for name, one in honest.rows[row].numbers.items()}
        # The parts are printed with a hundredth: at most 1.5 % of one, 3 % of the other is open.
        off = source.choice((0.9, 1.1)) if float(texts["b"]) > 2 else source.choice((0.5, 2.0))
        texts["d"] = f"{float(texts['d']) * off:.2f}"
        numbers = {name: printed(text) for name, text in texts.items()}
        rows_with = [*honest.rows]
        rows_with[row] = honest.rows[row]._replace(numbers=numbers)
        (finding,) = audit_derived([honest._replace(rows=rows_with)])[0]
        assert finding.sure == "certain"
        assert finding.where == [f"Table T, batch_size {row + 1}, d: printed {texts['d']} ×"]


def test_one_digit_is_found_where_a_paper_plainly_computes_from_its_printed_numbers() -> None:
    """Whole numbers leave a ratio open by a tenth: that twelve agree to a digit is no chance."""
    source = random.Random(5)
    for _ in range(100):
        honest = derived(source, PRINTINGS[1], Deriving("ratio", 12, True, (0, 3)))
        row = source.randrange(12)
        text = honest.rows[row].numbers["d"].text
        other = str(Decimal(text) + source.choice((-2, 2)) * Decimal("0.001"))  # beyond any tie
        numbers = {**honest.rows[row].numbers, "d": printed(other)}
        rows = [*honest.rows]
        rows[row] = honest.rows[row]._replace(numbers=numbers)
        (finding,) = audit_derived([honest._replace(rows=rows)])[0]
        assert finding.where == [f"Table T, batch_size {row + 1}, d: printed {other} ×"]
        assert finding.sure == "likely"


def test_a_number_rounded_otherwise_than_all_others_is_likely_an_error() -> None:
    """Parts with many digits leave no doubt of how a paper rounds."""
    rows = [{"a": f"{n}.66661", "b": "1.00000", "d": f"{n}.66"} for n in range(1, 9)]
    found = table([*rows, {"a": "9.66661", "b": "1.00000", "d": "9.67"}])
    assert convention(derived_numbers([found])) is None
    (finding,) = audit_derived([found])[0]
    assert (finding.sure, finding.innocent) == (
        "likely", "it may have been rounded in another way than the paper's other numbers",
    )  # fmt: skip


def test_how_probable_so_many_successes_are() -> None:
    assert at_least(0, [0.3, 0.5]) == pytest.approx(1.0)
    assert at_least(1, [0.3, 0.5]) == pytest.approx(1 - 0.7 * 0.5)
    assert at_least(2, [0.3, 0.5]) == pytest.approx(0.15)
    assert at_least(3, [0.3, 0.5]) == 0.0
