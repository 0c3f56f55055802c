"""Figures of a study: read from its file, refused where they name what there isn't."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from manifests.paths import ROOT
from papers.check import study_file_mistakes
from papers.figures import FILE, load_figures
from papers.mistakes import PublishedError
from papers.paper import open_paper
from papers.published import load_published

FIGURE = """\
[[figure]]
id = "figure1"
title = "Latency"
place = "Figure 1"
table = "table1"
along = "batch_size"

[[figure.series]]
column = "latency"
label = "latency"
"""


@pytest.mark.parametrize(
    ("study", "places"),
    [
        ("lad2023", ["Figure 3, section V", "Figure 4, section V"]),
        (
            "shafique2023",
            [
                "Figure 10 (left), section 6.1.1", "Figure 10 (right), section 6.1.1",
                "Figure 11 (left), section 6.1.2", "Figure 11 (right), section 6.1.2",
                "Figure 12, section 6.2", "Figure 13, section 6.2",
                "Figure 14, section 6.2", "Figure 15, section 6.2",
            ],
        ),
    ],
)  # fmt: skip
def test_the_figures_of_the_papers_are_data(study: str, places: list[str]) -> None:
    figures = open_paper(ROOT / "studies" / study).figures
    assert [figure.place for figure in figures] == places


def test_a_study_needs_no_figures(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / FILE).unlink()
    assert load_figures(folder, load_published(folder)) == []


def copied(tmp_path: Path) -> Path:
    folder = tmp_path / "lad2023"
    shutil.copytree(ROOT / "studies" / "lad2023", folder)
    return folder


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            'table = "figure3"', 'table = "figur3"',
            "figures.toml:7: figure figure3: no table 'figur3'. Did you mean 'figure3'?",
        ),
        (
            'panel = "framework"', 'panel = "frame"',
            "figures.toml:9: figure figure3: no key 'frame'. Did you mean 'framework'?",
        ),
        (
            'along = "technique"', 'along = "tecnique"',
            "figures.toml:8: figure figure3: no key 'tecnique'. Did you mean 'technique'?",
        ),
        (
            'column = "accuracy"', 'column = "accurac"',
            "no column 'accurac'. Did you mean 'accuracy'? Accepted: accuracy",
        ),
        (
            'label = "top-1 accuracy"', 'label = "top-1 accuracy"\nover = "base"',
            "no column 'base'. Accepted: accuracy",
        ),
        ('scale = "log"', 'scale = "lg"', "figure.scale: "),
        ('id = "figure4"', 'id = "figure3"', "two figures are called 'figure3'"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_refused_with_its_line(
    tmp_path: Path, old: str, new: str, told: str
) -> None:
    folder = copied(tmp_path)
    path = folder / FILE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(PublishedError) as refused:
        load_figures(folder, load_published(folder))
    assert told in str(refused.value)
    mistakes = [str(one) for one in study_file_mistakes(folder) if not one.remark]
    assert any(told in mistake for mistake in mistakes)


def test_a_series_over_another_takes_no_derived_columns(tmp_path: Path) -> None:
    folder = tmp_path / "shafique2023"
    shutil.copytree(ROOT / "studies" / "shafique2023", folder)
    path = folder / FILE
    path.write_text(path.read_text().replace('over = "base"', 'over = "speedup_int8"', 1))
    with pytest.raises(PublishedError, match="no column 'speedup_int8'"):
        load_figures(folder, load_published(folder))


def test_an_overlay_keeps_the_figures_below_it_and_adds_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    studies = tmp_path / "studies"
    shutil.copytree(ROOT / "studies", studies)
    monkeypatch.setenv("REPLIQUANT_STUDIES", str(studies))
    mine = studies / "mine"
    (mine / "published").mkdir(parents=True)
    (mine / "study.toml").write_text('id = "mine"\nextends = "lad2023"\ntitle = "Mine"\n')
    own = FIGURE.replace("figure1", "figure9").replace("table1", "figure4")
    (mine / FILE).write_text(own)
    assert [figure.id for figure in open_paper(mine).figures] == ["figure3", "figure4", "figure9"]
