"""What the pictures in the docs are drawn from: real runs, whole, with no path of a machine."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import pytest

from manifests.run_folder import Run
from tests.conftest import ROOT
from tui.picture import PICTURES
from tui.recorded_runs import recorded_findings, show

RECORDED = ROOT / "docs" / "screens" / "recorded"
_PATH = re.compile(rb"/(?:tmp|root|home|work|srv)/")


@pytest.mark.parametrize(
    ("name", "cells"),
    [("lad2023-quick-digits", 41), ("lad2023-captioner", 9), ("lad2023-captioner-again", 9)],
)
def test_a_recording_reads_and_names_no_folder_of_its_machine(
    name: str, cells: int, tmp_path: Path
) -> None:
    with tarfile.open(RECORDED / f"{name}.tar.xz") as tar:
        tar.extractall(tmp_path, filter="data")
    loaded = Run(tmp_path / name).load()
    assert (len(loaded.manifests), loaded.warnings) == (cells, [])
    found = [path for path in tmp_path.rglob("*.json*") if _PATH.search(path.read_bytes())]
    assert found == []


def test_what_is_found_has_what_to_do_first() -> None:
    found = recorded_findings(RECORDED / "doctor.json")
    assert [remark.what for remark in found[:3]] == ["limits", "others", "python"]


def test_the_first_of_the_runs_that_are_shown_is_the_latest(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / "recorded" / name).mkdir(parents=True)
        (tmp_path / "recorded" / name / "plan.json").write_text("{}")
    runs = tmp_path / "runs"
    show(tmp_path / "recorded", ["a", "b"], runs)
    show(tmp_path / "recorded", ["c", "a"], runs)
    plans = sorted(runs.glob("*/plan.json"), key=lambda path: -path.stat().st_mtime)
    assert [path.parent.name for path in plans] == ["c", "a"]


def test_every_picture_is_in_the_docs_with_a_sentence() -> None:
    page = (ROOT / "docs" / "screens.md").read_text()
    drawn = {path.stem for path in (ROOT / "docs" / "screens").glob("*.svg")}
    assert drawn == {picture.name for picture in PICTURES}
    assert [name for name in sorted(drawn) if f"(screens/{name}.svg)" not in page] == []
