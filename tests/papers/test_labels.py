"""Tables keyed by what no cell has, such as a processor: shown, and never taken as measured."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparisons.claims.run_source import measured_source
from comparisons.comparison import compare_tables
from comparisons.decomposition import explain_published
from papers.ladders import Ladders, Rung
from papers.published import PublishedError, PublishedTable, load_published
from tests.comparisons.samples import a_plan, measured, metric
from tests.fakes.studies import TABLES, write_study
from tests.manifests.samples import a_cell

CSV = "framework,processor,latency\nalpha,Cortex-M4,40\nalpha,Cortex-M7,10\nbeta,Cortex-M4,9\n"


def labelled(folder: Path, csv: str = CSV, labels: str = 'labels = ["processor"]') -> Path:
    study = write_study(folder)
    key = 'key = ["framework"]'
    (study / "published" / "tables.toml").write_text(TABLES.replace(key, f"{key}\n{labels}"))
    (study / "published" / "table1.csv").write_text(csv)
    return study


@pytest.fixture
def tables(tmp_path: Path) -> list[PublishedTable]:
    return load_published(labelled(tmp_path))


def test_rows_are_told_apart_by_labels_and_matched_by_fields_of_cells(
    tables: list[PublishedTable],
) -> None:
    cell = a_cell(framework="alpha", task="infer", batch_size=1)
    plan = a_plan(cell)
    (comparison,) = compare_tables(tables, plan, [measured(cell, metric("latency_s", 0.02))])
    assert comparison.key == ["framework", "processor"]
    shown = [(line.key["processor"], line.measured, line.ratio) for line in comparison.lines]
    assert shown == [("Cortex-M4", 20.0, 0.5), ("Cortex-M7", 20.0, 2.0), ("Cortex-M4", None, None)]


def test_a_number_beside_several_rows_decides_nothing_about_them(
    tables: list[PublishedTable],
) -> None:
    cells = [a_cell(framework=name, task="infer", batch_size=1) for name in ("alpha", "beta")]
    plan = a_plan(*cells)
    manifests = [measured(cell, metric("latency_s", 0.02)) for cell in cells]
    source = measured_source(tables, compare_tables(tables, plan, manifests))
    first, second, alone = source.rows("table1")
    told = "cells have no processor: one measured number stands beside several rows"
    assert (first.values["latency"], second.values["latency"]) == (told, told)
    assert not isinstance(alone.values["latency"], str)


def test_speedups_of_two_processors_are_kept_apart(tmp_path: Path) -> None:
    csv = CSV.replace("framework", "technique").replace("alpha", "slow").replace("beta", "fast")
    study = labelled(tmp_path, csv + "fast,Cortex-M7,5\n")
    path = study / "published" / "tables.toml"
    text = path.read_text().replace('key = ["framework"]', 'key = ["technique"]')
    path.write_text(text.replace("batch_size = 1", 'batch_size = 1, framework = "alpha"'))
    ladders = Ladders(
        [Rung(framework="alpha", technique="fast", after="slow", changes="precision")]
    )
    found = explain_published(load_published(study), ladders)
    assert {item.point["processor"]: item.total for item in found} == {
        "Cortex-M4": pytest.approx(40 / 9), "Cortex-M7": pytest.approx(2.0),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("csv", "labels", "message"),
    [
        (CSV, 'labels = ["device"]', "'device' is a field of a cell: it belongs under key"),
        (CSV, 'labels = ["procesor"]', "no column 'processor'. Did you mean 'procesor'"),
        (CSV + "alpha,Cortex-M4,3\n", 'labels = ["processor"]', "the same row as in line 2"),
        (CSV, 'labels = ["framework"]', "belongs under key"),
    ],
)
def test_labels_that_are_none_are_refused(
    tmp_path: Path, csv: str, labels: str, message: str
) -> None:
    with pytest.raises(PublishedError, match=message):
        load_published(labelled(tmp_path, csv, labels))
