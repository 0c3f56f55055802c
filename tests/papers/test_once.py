"""A study's files are read once, however many parts of a report need them."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.paths import ROOT
from manifests.run_folder import Run
from papers.paper import find_paper, open_paper
from services.reports import write_report
from tests.fakes.studies import write_study

OPENED: Counter[str] = Counter()
_counting: list[Path] = []


def _count(event: str, arguments: tuple[object, ...]) -> None:
    if _counting and event == "open" and str(arguments[0]).startswith(str(_counting[-1])):
        OPENED[Path(str(arguments[0])).name] += 1


sys.addaudithook(_count)


@pytest.fixture
def studies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The real studies, copied, whose files are counted when they are opened."""
    folder = tmp_path / "studies"
    shutil.copytree(ROOT / "studies", folder)
    settle(folder)
    monkeypatch.setenv("REPLIQUANT_STUDIES", str(folder))
    OPENED.clear()
    _counting.append(folder)
    yield folder
    _counting.pop()


def settle(folder: Path) -> None:
    """Files that were written long ago."""
    for path in folder.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000))


@pytest.mark.parametrize("format_", ["html", "md", "latex"])
def test_a_whole_report_opens_each_file_of_its_study_once(
    studies: Path, tmp_path: Path, format_: str
) -> None:
    shutil.copytree(ROOT / "tui" / "demo" / "lad2023-quick-digits", tmp_path / "run")
    write_report(Run(tmp_path / "run"), tmp_path / "report", format_)
    expected = [path.name for path in (studies / "lad2023").rglob("*") if path.is_file()]
    assert dict(OPENED) == dict.fromkeys(expected, 1)


def test_what_is_not_asked_for_is_not_read(studies: Path) -> None:
    assert find_paper("shafique2023").study.year
    assert dict(OPENED) == {"study.toml": 1}


def test_a_paper_stays_the_same_until_one_of_its_files_changes(tmp_path: Path) -> None:
    study = write_study(tmp_path)
    settle(study)
    first = open_paper(study)
    assert first.tables[0].file.title == "Latency"
    assert open_paper(study) is first
    path = study / "published" / "tables.toml"
    path.write_text(path.read_text().replace('"Latency"', '"Latenxy"'))
    assert open_paper(study).tables[0].file.title == "Latenxy"


def test_a_file_that_changes_twice_in_no_time_is_read_anew(tmp_path: Path) -> None:
    """The clock of a file system may stand still meanwhile."""
    study = write_study(tmp_path)
    path = study / "published" / "table1.csv"
    for number in ("4", "5", "6", "7"):
        path.write_text(f"framework,latency\nalpha,{number}\nbeta,8\n")
        assert open_paper(study).tables[0].rows[0].numbers["latency"].text == number


def test_a_change_below_an_overlay_is_seen_through_it(tmp_path: Path) -> None:
    base = write_study(tmp_path)
    over = tmp_path / "studies" / "over"
    over.mkdir()
    (over / "study.toml").write_text('id = "over"\nextends = "toy"\n')
    settle(tmp_path)
    assert open_paper(over).base is open_paper(base)
    path = base / "published" / "tables.toml"
    path.write_text(path.read_text().replace('"Latency"', '"Time"'))
    assert open_paper(over).tables[0].file.title == "Time"
