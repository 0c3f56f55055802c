"""The papers' own tables are read as printed, and a broken file is told by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparisons.claims import load_claims
from manifests.paths import ROOT
from papers.published import Printed, PublishedError, PublishedTable, load_published
from papers.study import study_ids
from tests.fakes.studies import write_study

STUDIES = ROOT / "studies"


def lad2023(table: str) -> PublishedTable:
    return next(t for t in load_published(STUDIES / "lad2023") if t.file.id == table)


def numbers(table: PublishedTable) -> dict[str, dict[str, float | None]]:
    """Values by the first key, then by column."""
    return {
        next(iter(row.key.values())): {name: number.value for name, number in row.numbers.items()}
        for row in table.rows
    }


def test_table_1_holds_the_published_sizes() -> None:
    assert numbers(lad2023("table1")) == {
        "pytorch": {"baseline": 42.62, "quantized": 10.76, "reduction": 74.7},
        "tensorflow": {"baseline": 42.61, "quantized": 11.31, "reduction": 73.4},
    }


def test_table_2_holds_the_published_training_times() -> None:
    steps = {"baseline_step": None, "qat_step": None}  # what is measured only
    assert numbers(lad2023("table2")) == {
        "pytorch": {"baseline": 16.80, "qat": 32.82, **steps, "increase": 95.3},
        "tensorflow": {"baseline": 18.04, "qat": 57.34, **steps, "increase": 217.8},
    }


def test_table_3_holds_the_published_calibration_times_as_printed() -> None:
    rows = lad2023("table3").rows
    assert [row.numbers["calibration"] for row in rows] == [
        Printed("~40", 40.0),
        Printed("~1900", 1900.0),
    ]


def test_table_4_is_a_list_of_issues() -> None:
    table = lad2023("table4")
    assert table.rows == []
    assert len(table.issues) == 16
    assert list(table.issues[0]) == ["area", "framework", "issue"]


def test_a_number_that_was_not_printed_is_no_value() -> None:
    row = next(r for r in lad2023("device-time").rows if r.key["device"] == "gpu")
    assert row.numbers["total"] == Printed("19", 19.0)
    assert row.numbers["convolutions"] == Printed("", None)


@pytest.mark.parametrize("study", study_ids(STUDIES))
def test_every_claim_is_about_a_table_that_there_is(study: str) -> None:
    tables = {table.file.id for table in load_published(STUDIES / study)}
    for claim in load_claims(STUDIES / study).claim:
        assert claim.table in tables


def changed(folder: Path, name: str, old: str, new: str) -> list[PublishedTable]:
    study = write_study(folder)
    path = study / "published" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return load_published(study)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("4", 4.0),
        ("~8.5", 8.5),
        ("1,900", 1900.0),
        ("-3", -3.0),
        ("OOM", None),
        ("N/A", None),
        ("", None),
    ],
)
def test_numbers_are_read_as_printed(tmp_path: Path, text: str, value: float | None) -> None:
    field = f'"{text}"' if "," in text else text
    (table,) = changed(tmp_path, "table1.csv", "alpha,4", f"alpha,{field}")
    assert table.rows[0].numbers["latency"] == Printed(text, value)


@pytest.mark.parametrize(
    ("name", "old", "new", "message"),
    [
        ("table1.csv", "alpha,4", "alpha,4x", r"table1\.csv:2: latency: '4x' is not a number"),
        ("table1.csv", "alpha,4", "alpha,OMM", r"'OMM' is not a number"),
        ("table1.csv", "alpha,4", "alpha,1e3", r"table1\.csv:2: latency: '1e3' is not a number"),
        (
            "table1.csv",
            "framework,latency",
            "framework,latenci",
            r"table1\.csv:1: no column 'latenci'\. Did you mean 'latency'\?",
        ),
        ("table1.csv", "framework,", "model,", r"table1\.csv:1: no column 'model'"),
        ("table1.csv", "alpha,4", "alpha,4,5", r"table1\.csv:2: row 2 has 3 fields"),
        ("table1.csv", "alpha,4", "alpha", r"table1\.csv:2: row 2 has 1 fields"),
        ("table1.csv", "alpha,4", 'alpha,"4', r"table1\.csv:\d: can't be read: "),
        ("tables.toml", '"ms"', '"mss"', r"tables\.toml:11: table table1, column latency: no unit"),
        ("tables.toml", '"latency_s"', '"latency"', r"no metric 'latency'\. Did you mean"),
        ("tables.toml", '["framework"]', '["framewrk"]', r"no key 'framewrk'\. Did you mean 'fr"),
        ("tables.toml", "batch_size = 1", "batch = 1", r"table1, select: no field 'batch'\. Did"),
        ("tables.toml", "table1.csv", "table9.csv", r"table9\.csv:1: can't be read: .*No such"),
        ("tables.toml", "place =", "plaice =", r"tables\.toml:\d+: table\S*plaice: .*unknown"),
        ("tables.toml", "[[table]]", "[[table", r"tables\.toml:1: not TOML"),
        (
            "tables.toml",
            'metric = "latency_s"',
            'derive = { reduction = ["latency", "latency"] }',
            r"no column 'latency'",
        ),
        (
            "tables.toml",
            'metric = "latency_s"',
            'derive = { reduction = ["latency"] }',
            r"column latency: reduction takes two columns, not 1",
        ),
        (
            "tables.toml",
            'metric = "latency_s"',
            "derive = { product = [] }",
            r"no derivation 'product'",
        ),
    ],
)  # fmt: skip
def test_a_broken_file_is_refused_by_name(
    tmp_path: Path, name: str, old: str, new: str, message: str
) -> None:
    with pytest.raises(PublishedError, match=message):
        changed(tmp_path, name, old, new)
