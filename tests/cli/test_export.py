"""Reading from outside: the call in Python, the command, and the examples in the docs."""

from __future__ import annotations

import csv
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import polars
import pytest

import repliquant
from manifests.run_folder import Run
from services.tidy_files import as_csv, write_table
from tests.conftest import ROOT

RECORDED = ROOT / "tests" / "recorded" / "lad2023-quick-digits"
DOCS = (ROOT / "docs" / "reading-results.md").read_text()


def export(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "export", *map(str, arguments)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_the_call_gives_what_lies_in_the_folder() -> None:
    run = repliquant.read_run(RECORDED)
    stored = Run(RECORDED).load().manifests
    assert run.manifests == stored and run.plan.study == "lad2023" and run.warnings == []
    assert len(run.samples()["value"]) >= sum(len(m.samples) for s in stored for m in s.metrics)
    assert len(repliquant.read_run(RECORDED, cells="infer and pytorch").manifests) < len(stored)


@pytest.mark.parametrize(
    ("folder", "cells", "error"),
    [("nowhere", "", FileNotFoundError), (RECORDED, "batch_size>", ValueError)],
)
def test_what_cannot_be_read_is_an_error(folder: str, cells: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        repliquant.read_run(folder, cells)


def test_csv_on_standard_output_has_every_sample() -> None:
    done = export(RECORDED)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    samples = repliquant.read_run(RECORDED).samples()
    assert [row["value"] for row in rows] == [
        "" if value is None else repr(value) for value in samples["value"]
    ]
    assert {row["framework"] for row in rows} == {"pytorch"}


def test_parquet_comes_back_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "run.parquet"
    done = export(RECORDED, "--format", "parquet", "--table", "metrics", "-o", file)
    assert (done.returncode, done.stdout) == (0, f"{file}\n"), done.stderr
    frame = polars.read_parquet(file)
    metrics = repliquant.read_run(RECORDED).metrics()
    assert frame["median"].to_list() == metrics["median"]
    assert frame["technique"].to_list() == metrics["technique"]


def test_a_column_of_several_types_becomes_text_in_parquet(tmp_path: Path) -> None:
    write_table(tmp_path / "t.parquet", {"a": [1, "x", None], "b": [1, 2.5, None]}, "parquet")
    frame = polars.read_parquet(tmp_path / "t.parquet")
    assert frame.rows() == [("1", 1.0), ("x", 2.5), (None, None)]


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("nosuch",), 2, "no run 'nosuch'"),
        ((RECORDED, "--format", "parquet"), 2, "name a file with -o FILE"),
        ((RECORDED, "--format", "xlsx"), 2, "no format 'xlsx'. Accepted: csv, parquet"),
        ((RECORDED, "-k", "framwork=pytorch"), 2, "Did you mean 'framework'"),
        ((RECORDED, "-o", "/proc/none/x.csv"), 2, "can't be written to"),
        ((RECORDED, "--format", "parquet", "-o", "/proc/none/x"), 2, "can't be written to"),
    ],
)
def test_a_refusal_says_what_to_do(
    arguments: tuple[str | Path, ...], status: int, words: str
) -> None:
    done = export(*arguments)
    assert done.returncode == status and words in done.stderr
    assert "Traceback" not in done.stderr and done.stdout == ""


def test_nothing_to_choose_from_is_a_head_without_rows() -> None:
    assert as_csv({"a": [], "b": []}) == "a,b\n"


@pytest.mark.parametrize("number", range(2))
def test_the_examples_in_the_docs_run(number: int, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "lad2023-quick-digits").symlink_to(RECORDED)
    script = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)[number]
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=dict(os.environ), check=False,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "pytorch" in done.stdout and "ptq" in done.stdout


def test_every_column_is_in_the_docs() -> None:
    named = set(re.findall(r"`([a-z_…]+)`", DOCS.split("## The columns")[1]))
    run = repliquant.read_run(RECORDED)
    fields = set(type(run.manifests[0].cell).__struct_fields__)
    columns = {
        column
        for column in {*run.samples(), *run.metrics()}
        if column not in fields and not column.startswith("recipe_")
    }
    assert columns <= named
