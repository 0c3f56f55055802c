"""A study that extends another: its cells, tables, claims and checks are laid over the other's."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from comparisons.archive import write_bundle
from comparisons.archive.writer import Sources
from comparisons.comparison import compare_tables
from manifests.codec import write_plan
from manifests.errors import InputError
from manifests.manifest import Manifest
from manifests.plan import Plan
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.paper import Paper, open_paper
from papers.study import load_study, read_study
from tests.comparisons import hostile
from tests.comparisons.bundles import files_of, toy_manifests, toy_run
from tests.comparisons.samples import measured, metric
from tests.fakes.studies import write_study

OVERLAY = """\
id = "mine"
extends = "toy"
title = "A toy with my batch sizes"

[tiers.quick]
repeats = 2

[[cells]]
task = "infer"
framework = ["alpha"]
technique = ["plain"]
batch_size = [2, 16]
recipe = "infer"
weights = { task = "train" }
estimate_s = { quick = 1 }
"""
TABLE = """\
[[table]]
id = "table2"
title = "Mine"
place = "here"
data = "table2.csv"
key = ["batch_size"]
select = { framework = "alpha", task = "infer" }

[[table.column]]
name = "latency"
label = "latency"
unit = "ms"
metric = "latency_s"
"""
CLAIM = """\
[[claim]]
id = "{id}"
place = "here"
text = "{text}"
table = "table1"
test = "table1.latency[framework=alpha] < 5"
"""


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    base = write_study(tmp_path)
    (base / "claims.toml").write_text(CLAIM.format(id="fast", text="Below."))
    folder = base.parent / "mine"
    folder.mkdir()
    (folder / "study.toml").write_text(OVERLAY)
    return folder


def plan_of(folder: Path, tier: str = "quick") -> Plan:
    study = load_study(folder.name, folder.parent)
    return make_plan(study, Choices(tier, None, "digits"), Estimates(folder / "none"), gpus=0)


def test_cells_that_both_have_are_the_same_cells_and_stand_once(overlay: Path) -> None:
    below, over = plan_of(overlay.parent / "toy"), plan_of(overlay)
    ids = [cell.id for cell in over.cells]
    assert set(ids) > {cell.id for cell in below.cells}
    assert len(ids) == len(set(ids)) == 2 + 2 * 5  # trainings; five inferences, twice each
    assert {cell.cell.study for cell in over.cells} == {"toy"}
    assert over.study == "mine"
    assert 16 in {cell.cell.batch_size for cell in over.cells}


def test_a_study_that_extends_none_may_list_no_cell_twice(overlay: Path) -> None:
    path = overlay.parent / "toy" / "study.toml"
    text = path.read_text()
    path.write_text(text + text[text.rindex("[[cells]]") : text.rindex("[[unspecified]]")])
    with pytest.raises(InputError, match="is listed twice"):
        plan_of(overlay.parent / "toy")


def test_what_is_given_replaces_and_the_rest_stays(overlay: Path) -> None:
    study = load_study("mine", overlay.parent)
    assert (study.title, study.authors) == ("A toy with my batch sizes", ["A. Nobody"])
    assert study.tiers["quick"].repeats == 2
    assert study.tiers["quick"].timeout_s["train"] == 60.0
    assert [group.task for group in study.cells] == ["train", "infer", "infer"]


def test_tables_and_claims_are_the_others_until_it_has_its_own(overlay: Path) -> None:
    paper = Paper(overlay)
    assert [table.file.id for table in paper.tables] == ["table1"]
    assert [claim.text for claim in paper.claims.claim] == ["Below."]
    (overlay / "published").mkdir()
    (overlay / "published" / "tables.toml").write_text(TABLE)
    (overlay / "published" / "table2.csv").write_text("batch_size,latency\n16,3\n")
    (overlay / "claims.toml").write_text(
        CLAIM.format(id="fast", text="Mine.") + CLAIM.format(id="new", text="Also.")
    )
    paper = Paper(overlay)
    assert [table.file.id for table in paper.tables] == ["table1", "table2"]
    assert [claim.text for claim in paper.claims.claim] == ["Mine.", "Also."]


def test_its_table_shows_what_its_cells_measured(overlay: Path) -> None:
    (overlay / "published").mkdir()
    (overlay / "published" / "tables.toml").write_text(TABLE)
    (overlay / "published" / "table2.csv").write_text("batch_size,latency\n16,3\n")
    plan = plan_of(overlay)
    manifests: list[Manifest] = [
        measured(cell.cell, metric("latency_s", 0.006))
        for cell in plan.cells
        if cell.cell.batch_size == 16
    ]
    (_, mine) = compare_tables(open_paper(overlay).tables, plan, manifests)
    (line,) = mine.lines
    assert (line.published, line.measured, line.ratio, line.n) == (3.0, 6.0, 2.0, 2)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"toy"', '"toi"', r"study.toml:2: extends: no study 'toi'"),
        ('"toy"', '"mine"', r"study.toml:2: extends: no study 'mine'"),
        ('recipe = "infer"', 'recipe = "infre"', r"study.toml:13: cells\[2\].*no recipe 'infre'"),
        ("batch_size = [2, 16]", "batch_sice = [2]", r"study.toml:12: .*Did you mean 'batch_size'"),
        ("repeats = 2", 'repeats = "2"', r"study.toml:6: tiers.quick.repeats: Expected `int`"),
    ],
)
def test_a_mistake_is_told_with_the_line_of_the_overlay(
    overlay: Path, old: str, new: str, message: str
) -> None:
    path = overlay / "study.toml"
    path.write_text(OVERLAY.replace(old, new))
    with pytest.raises(InputError, match=message):
        load_study("mine", overlay.parent)


def test_studies_that_extend_each_other_are_refused(overlay: Path) -> None:
    path = overlay.parent / "toy" / "study.toml"
    path.write_text('extends = "mine"\n' + path.read_text())
    (mistake,) = read_study(overlay)[1]
    assert "goes in a circle: mine -> toy -> mine" in mistake.text


def test_an_archive_of_its_run_holds_the_study_below_and_verifies_alone(tmp_path: Path) -> None:
    run = toy_run(tmp_path, toy_manifests())
    folder = tmp_path / "studies" / "mine"
    folder.mkdir()
    (folder / "study.toml").write_text(OVERLAY)
    write_plan(run.plan_path, msgspec.structs.replace(run.plan(), study="mine"))
    target = tmp_path / "a.zip"
    sources = Sources(run, folder, tmp_path / "images")
    write_bundle(sources, run.plan(), target, "0.0.0", lambda: "")
    assert {"study/mine/study.toml", "study/toy/published/table1.csv"} <= set(files_of(target))
    shutil.rmtree(tmp_path / "studies")
    (tmp_path / "into").mkdir()
    lines = hostile.outcome(target, tmp_path / "into")
    assert [line for line in lines if ": ok" not in line] == []
