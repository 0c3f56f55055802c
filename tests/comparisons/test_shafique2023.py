"""The ten tables of shafique2023, against the numbers that the paper prints."""

from __future__ import annotations

from collections import Counter

import pytest

from comparisons.claims import load_claims
from manifests.paths import ROOT
from papers.published import Printed, PublishedTable, load_published

FOLDER = ROOT / "studies" / "shafique2023"
TABLES = {table.file.id: table for table in load_published(FOLDER)}


def row(table: str, model: str, second: object) -> dict[str, Printed]:
    """The printed numbers of a row, by column."""
    for found in TABLES[table].rows:
        if list(found.key.values()) == [model, str(second)]:
            return {name: number for name, number in found.numbers.items() if number.text}
    raise AssertionError(f"{table} has no row {model} {second}")


def texts(table: str, model: str, second: object) -> list[str]:
    return [number.text for number in row(table, model, second).values()]


def kinds(table: PublishedTable) -> Counter[str]:
    return Counter(number.kind for found in table.rows for number in found.numbers.values())


@pytest.mark.parametrize(
    ("table", "rows", "numbers", "oom", "not_applicable"),
    [
        ("table2", 18, 54, 0, 0),
        ("table3", 18, 50, 2, 2),
        ("table4", 18, 54, 0, 0),
        ("table5", 18, 50, 2, 2),
        ("table6", 12, 48, 0, 0),
        ("table7", 12, 48, 0, 0),
        ("table8", 12, 48, 0, 0),
        ("table9", 12, 48, 0, 0),
        ("table10", 6, 24, 0, 0),
        ("table11", 6, 24, 0, 0),
    ],
)
def test_every_cell_of_the_ten_tables_is_there(
    table: str, rows: int, numbers: int, oom: int, not_applicable: int
) -> None:
    found = kinds(TABLES[table])
    assert len(TABLES[table].rows) == rows
    assert (found["number"], found["oom"], found["not-applicable"]) == (
        numbers, oom, not_applicable,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("table", "model", "second", "printed"),
    [
        ("table2", "vgg16", 32, ["480.14", "265.44", "1.81"]),
        ("table2", "resnet50", 128, ["300.74", "193", "1.56"]),
        ("table2", "mobilenet-v1", 1024, ["70.93", "34.61", "2.05"]),
        ("table3", "vgg16", 256, ["OOM", "49.12", "N/A"]),
        ("table3", "resnet50", 256, ["OOM", "31.5", "N/A"]),
        ("table3", "mobilenet-v1", 64, ["33.85", "16.26", "2.08"]),
        ("table4", "vgg16", 32, ["1.42", "0.16", "8.88"]),
        ("table4", "resnet50", 64, ["1.00", "0.25", "4.00"]),
        ("table4", "mobilenet-v1", 512, ["1.47", "0.88", "1.67"]),
        ("table5", "vgg16", 8, ["2.64", "0.22", "12.00"]),
        ("table5", "mobilenet-v1", 256, ["4.34", "2.49", "1.74"]),
        ("table6", "vgg16", 64, ["55.2", "14.2", "3", "1.8"]),
        ("table6", "resnet50", 32, ["48.1", "4.6", "2.1", "2"]),
        ("table7", "mobilenet-v1", 32, ["43.2", "4.8", "3.1", "3.2"]),
        ("table8", "vgg16", 16, ["406", "2858", "10,554", "10,780"]),
        ("table8", "resnet50", 8, ["170", "1916", "4105", "4123"]),
        ("table9", "resnet50", 64, ["828", "2218", "7033", "10,172"]),
        ("table10", "vgg16", "float32", ["89.120", "89.120", "89.171", "88.894"]),
        ("table10", "resnet50", "amp-float16", ["87.01", "87.01", "87.01", "88.15"]),
        ("table11", "mobilenet-v1", "amp-float16", ["96.289", "96.289", "97.465", "96.484"]),
    ],
)
def test_rows_read_as_printed(table: str, model: str, second: object, printed: list[str]) -> None:
    assert texts(table, model, second) == printed


def test_thousands_and_words_are_read() -> None:
    assert row("table8", "vgg16", 64)["int8"] == Printed("35,960", 35960.0)
    assert row("table5", "vgg16", 256)["without"] == Printed("OOM", None)


@pytest.mark.parametrize("table", ["table2", "table3", "table4", "table5"])
def test_no_digit_of_a_factor_is_a_slip_of_the_pen(table: str) -> None:
    """Each printed factor is the quotient of its row, but for the paper's own rounding."""
    for found in TABLES[table].rows:
        numbers = found.numbers
        if numbers["factor"].value is None:
            continue
        quotient = (numbers["without"].value or 0) / (numbers["with"].value or 1)
        assert quotient == pytest.approx(numbers["factor"].value, rel=0.02), found.key


def test_the_mislabelled_unit_is_kept_beside_our_reading() -> None:
    column = next(c for c in TABLES["table2"].file.column if c.name == "without")
    assert (column.unit, column.printed_unit) == ("s", "ms")
    assert "can't be" in TABLES["table2"].file.note


def test_the_lost_column_of_table_4_is_told() -> None:
    sizes = [found.key["batch_size"] for found in TABLES["table4"].rows[:6]]
    assert sizes == ["32", "64", "128", "256", "512", "1024"]
    assert "lost" in TABLES["table4"].file.note


def test_about_a_dozen_claims_each_about_one_of_its_tables() -> None:
    claims = load_claims(FOLDER).claim
    assert len(claims) >= 12
    assert {claim.table for claim in claims} <= set(TABLES)
    assert len({claim.id for claim in claims}) == len(claims)
