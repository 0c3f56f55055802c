"""Plans: which cells, in which order, and that their ids depend on what they should alone."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

import pytest

from manifests.errors import InputError
from manifests.paths import ROOT
from manifests.plan import Plan
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan, with_ancestors
from papers.study import load_study
from tests.fakes.studies import write_study
from tests.orchestrator.toy_plans import ids, planned


def lad2023(tier: str, gpus: int = 0) -> Plan:
    study = load_study("lad2023", ROOT / "studies")
    choices = Choices(tier, "rigorous", "digits")
    return make_plan(study, choices, Estimates(Path("/nonexistent")), gpus)


def test_ids_are_the_same_on_every_machine(tmp_path: Path) -> None:
    assert list(ids(planned(tmp_path)).values())[:2] == ["8e98f18fa2c4", "42d005b053a1"]


def test_repeats_of_inference_go_forwards_and_backwards(tmp_path: Path) -> None:
    plan = planned(tmp_path, repeats=4)
    order = [(p.cell.framework, p.cell.batch_size, p.cell.repeat) for p in plan.cells]
    forwards = [("alpha", 1), ("alpha", 2), ("beta", 1), ("beta", 2)]
    assert order == [
        ("alpha", 2, 0),
        ("beta", 2, 0),
        *[(*variant, 0) for variant in forwards],
        *[(*variant, 1) for variant in reversed(forwards)],
        *[(*variant, 2) for variant in reversed(forwards)],
        *[(*variant, 3) for variant in forwards],
    ]


def test_training_is_not_repeated(tmp_path: Path) -> None:
    tasks = Counter(p.cell.task for p in planned(tmp_path, repeats=3).cells)
    assert tasks == {"train": 2, "infer": 12}


def test_an_unrelated_recipe_changes_no_id(tmp_path: Path) -> None:
    before = ids(planned(tmp_path))
    after = ids(planned(tmp_path, ("[recipes.infer]", "[recipes.other]\na = 1\n[recipes.infer]")))
    assert after == before


def test_a_recipe_changes_the_ids_of_its_cells_alone(tmp_path: Path) -> None:
    before = planned(tmp_path)
    after = planned(tmp_path, ("[recipes.infer]", "[recipes.infer]\nmore = 1"))
    assert ids(after, "train") == ids(before, "train")
    assert not set(ids(after, "infer").values()) & set(ids(before, "infer").values())


def test_a_parents_recipe_changes_the_ids_of_its_children(tmp_path: Path) -> None:
    before = planned(tmp_path)
    after = planned(tmp_path, ("[recipes.train]", "[recipes.train]\nmore = 1"))
    assert not set(ids(after).values()) & set(ids(before).values())


@pytest.mark.parametrize(
    "change",
    [
        ("timeout_s = { train = 60.0", "timeout_s = { train = 61.0"),
        ("estimate_s = { quick = 1 }", "estimate_s = { quick = 7 }"),
        ('alpha = "alpha"', 'alpha = "beta"'),
        ('title = "A toy"', 'title = "Another title"'),
    ],
)
def test_what_does_not_change_a_result_changes_no_id(
    tmp_path: Path, change: tuple[str, str]
) -> None:
    before = ids(planned(tmp_path))
    assert ids(planned(tmp_path, change)) == before


def test_a_cell_needs_the_cell_whose_weights_it_starts_from(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    by_title = ids(plan)
    needs = {p.cell.title: p.needs for p in plan.cells}
    assert needs["alpha train plain batch 2"] == []
    assert needs["beta infer plain batch 1"] == [by_title["beta train plain batch 2"]]


def test_chosen_cells_come_with_their_ancestors_in_the_order_of_the_plan(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    by_title = ids(plan)
    chosen = with_ancestors(plan, [by_title["beta infer plain batch 2"]])
    assert [p.cell.title for p in chosen] == [
        "beta train plain batch 2",
        "beta infer plain batch 2",
    ]


def test_weights_that_nobody_makes_are_refused(tmp_path: Path) -> None:
    message = "studies/toy/study.toml: alpha infer plain batch 1 starts from alpha train other"
    with pytest.raises(InputError, match=message):
        planned(tmp_path, ('weights = { task = "train" }', _OTHER))


_OTHER = 'weights = { task = "train", technique = "other" }'


def test_a_cell_listed_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="alpha infer plain batch 1 is listed twice"):
        planned(tmp_path, ("batch_size = [1, 2]", "batch_size = [1, 1]"))


def test_a_protocol_that_the_study_lacks_is_refused(tmp_path: Path) -> None:
    write_study(tmp_path)
    study = load_study("toy", tmp_path / "studies")
    with pytest.raises(InputError, match=r"toy has no protocol 'as-published'\. Accepted: rig"):
        make_plan(study, Choices("quick", "as-published", "digits"), Estimates(tmp_path), 0)


def test_cells_of_a_gpu_are_skipped_with_the_reason_where_there_is_none() -> None:
    def skipped(gpus: int) -> list[str]:
        return [p.skip for p in lad2023("quick", gpus).cells if p.cell.device == "gpu"]

    assert skipped(0) == ["needs an NVIDIA GPU; none was found"]
    assert skipped(1) == [""]


def test_the_quick_plan_of_lad2023_has_these_cells() -> None:
    plan = lad2023("quick")
    counts = Counter((p.cell.framework, p.cell.task) for p in plan.cells)
    assert counts == {
        ("pytorch", "train"): 4,
        ("pytorch", "quantize"): 4,
        ("pytorch", "infer"): 12,
        ("tensorflow", "train"): 4,
        ("tensorflow", "quantize"): 3,
        ("tensorflow", "infer"): 12,
    }
    assert len(plan.cells) == 39


def test_the_longer_tiers_of_lad2023_repeat_inference_only() -> None:
    assert len(lad2023("short").cells) == 9 + 3 * 24
    assert len(lad2023("paper").cells) == 9 + 5 * 24


@pytest.mark.parametrize(
    ("tier", "count", "digest"),
    [
        ("quick", 39, "d53ecd123e5e0497"),
        ("short", 81, "06b608589abb59b3"),
        ("paper", 129, "6ff2d2e392f5643f"),
    ],
)
def test_the_cells_of_lad2023_keep_their_ids(tier: str, count: int, digest: str) -> None:
    """Ids name results that were published; nothing but the study itself may change them."""
    found = sorted(planned.id for planned in lad2023(tier).cells)
    assert len(found) == count
    assert hashlib.sha256(" ".join(found).encode()).hexdigest()[:16] == digest


def test_ids_that_the_readme_shows() -> None:
    assert {"d8a4d624652a", "26e71cfb668e"} <= {planned.id for planned in lad2023("quick").cells}
