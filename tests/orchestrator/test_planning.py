"""Plans: which cells, in which order, and that their ids depend on what they should alone."""

from __future__ import annotations

import hashlib
import re
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


def planned(folder: Path, *changes: tuple[str, str], repeats: int = 1) -> Plan:
    """The plan of the toy study after each (old, new) was applied to its text once."""
    path = write_study(folder, repeats=repeats) / "study.toml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    return make_plan(
        load_study("toy", folder / "studies"),
        Choices("quick", "rigorous", "digits"),
        Estimates(folder / "no-history"),
        gpus=0,
    )


def ids(plan: Plan, word: str = "") -> dict[str, str]:
    return {p.cell.title: p.id for p in plan.cells if word in p.cell.title}


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
        ("quick", 39, "42922191ad5a40b7"),
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
    assert {"c7ad8d4096a2", "7026eefd6dbb"} <= {planned.id for planned in lad2023("quick").cells}


AXES = (
    'batch_size = [1, 2]\ndevice = ["cpu"]\nrecipe = "infer"',
    'batch_size = [1, 2]\nmodel = ["m", "n"]\ndataset = ["first", "second"]\n'
    'device = ["cpu"]\nrecipe = "infer"',
)
SETS = (
    "[images]",
    "[datasets.first]\nimage_size = 8\n[datasets.second]\nimage_size = 16\n[images]",
)
TRAINED = (
    'technique = ["plain"]\ndevice = ["cpu"]\nrecipe = "train"',
    'technique = ["plain"]\nmodel = ["m", "n"]\ndataset = ["first", "second"]\n'
    'device = ["cpu"]\nrecipe = "train"',
)


def points(plan: Plan, task: str = "infer") -> list[tuple[str, int, str, int]]:
    return [
        (p.cell.model, p.cell.image_size, p.cell.framework, p.cell.batch_size)
        for p in plan.cells
        if p.cell.task == task
    ]


def test_models_and_data_sets_multiply_each_at_its_own_size(tmp_path: Path) -> None:
    plan = planned(tmp_path, SETS, TRAINED, AXES)
    assert len(points(plan)) == 2 * 2 * 2 * 2
    assert {(model, size) for model, size, _, _ in points(plan)} == {
        ("m", 8), ("n", 8), ("m", 16), ("n", 16),
    }  # fmt: skip
    assert {p.cell.dataset for p in plan.cells} == {"digits"}
    assert plan.stands_in_for == ["first", "second"]


def test_a_cell_starts_from_the_one_of_its_model_and_size(tmp_path: Path) -> None:
    plan = planned(tmp_path, SETS, TRAINED, AXES)
    by_id = {p.id: p.cell for p in plan.cells}
    for item in plan.cells:
        if item.cell.task == "infer":
            parent = by_id[item.needs[0]]
            assert (parent.model, parent.image_size) == (item.cell.model, item.cell.image_size)


def test_a_tier_takes_parts_of_a_group(tmp_path: Path) -> None:
    parts = (
        "weights = { task",
        'only.quick = [{ model = ["m"], dataset = ["first"], batch_size = [2] }, '
        '{ model = ["n"], dataset = ["second"], framework = ["beta"] }]\nweights = { task',
    )
    plan = planned(tmp_path, SETS, TRAINED, AXES, parts)
    assert points(plan) == [
        ("m", 8, "alpha", 2), ("m", 8, "beta", 2), ("n", 16, "beta", 1), ("n", 16, "beta", 2),
    ]  # fmt: skip


def test_no_part_leaves_a_group_out(tmp_path: Path) -> None:
    plan = planned(tmp_path, ("weights = { task", "only.quick = []\nweights = { task"))
    assert points(plan) == []
    assert len(points(plan, "train")) == 2


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("{ batch_size = [3] }", "only.quick: no batch_size 3. Accepted: 1, 2"),
        ('{ framework = ["gamma"] }', "only.quick: no framework 'gamma'. Accepted: alpha, beta"),
        ('{ protocol = ["as-published"] }', "no protocol 'as-published'. Accepted: rigorous"),
        ('{ dataset = ["x"] }', "only.quick: no dataset 'x'"),
    ],
)
def test_a_part_takes_only_what_the_group_has(tmp_path: Path, part: str, message: str) -> None:
    change = ("weights = { task", f"only.quick = [{part}]\nweights = {{ task")
    with pytest.raises(InputError, match=re.escape(message)):
        planned(tmp_path, change)


def test_weights_may_come_from_another_framework(tmp_path: Path) -> None:
    change = ('weights = { task = "train" }', 'weights = { task = "train", framework = "beta" }')
    before, after = planned(tmp_path / "a"), planned(tmp_path / "b", change)
    (beta,) = [p for p in after.cells if (p.cell.task, p.cell.framework) == ("train", "beta")]
    assert {p.cell.weights_from for p in after.cells if p.cell.task == "infer"} == {beta.id}
    ours, theirs = ids(before, "beta"), ids(after, "beta")
    assert ours == theirs  # its own framework's cell is the same cell however it is named


def test_a_framework_that_a_study_lacks_makes_no_weights(tmp_path: Path) -> None:
    change = ('weights = { task = "train" }', 'weights = { task = "train", framework = "bata" }')
    with pytest.raises(InputError, match=r"weights: no framework 'bata'\. Did you mean 'beta'\?"):
        planned(tmp_path, change)


_VARIED = ('technique = ["plain"]', 'technique = ["plain"]\nvariant = ["", "dotted"]')


def test_variants_are_cells_of_their_own_and_start_from_their_own(tmp_path: Path) -> None:
    plain = planned(tmp_path / "a")
    varied = planned(tmp_path / "b", _VARIED, ("[1, 2]", "[1]"))
    trained = {p.id: p.cell for p in varied.cells if p.cell.task == "train"}
    assert sorted(c.variant for c in trained.values()) == ["", "", "dotted", "dotted"]
    # Inference has no variants here: it starts from what the technique does by itself.
    parents = [trained[p.cell.weights_from or ""] for p in varied.cells if p.cell.task == "infer"]
    assert {parent.variant for parent in parents} == {""}
    assert {p.id for p in varied.cells if not p.cell.variant} <= {p.id for p in plain.cells}


def test_a_variant_of_inference_starts_from_the_same_variant(tmp_path: Path) -> None:
    path = write_study(tmp_path, batch_sizes=[1]) / "study.toml"
    path.write_text(path.read_text().replace(*_VARIED))
    plan = make_plan(
        load_study("toy", tmp_path / "studies"),
        Choices("quick", "rigorous", "digits"),
        Estimates(tmp_path / "no-history"),
        gpus=0,
    )
    cells = {p.id: p.cell for p in plan.cells}
    pairs = [(c.variant, cells[c.weights_from].variant) for c in cells.values() if c.weights_from]
    assert sorted(pairs) == [("", ""), ("", ""), ("dotted", "dotted"), ("dotted", "dotted")]
    titles = [c.title for c in cells.values() if c.variant and c.task == "infer"]
    assert titles[0] == "alpha infer plain dotted batch 1"


def test_weights_that_two_cells_make_have_to_be_told_apart(tmp_path: Path) -> None:
    two = (
        'technique = ["plain"]\ndevice = ["cpu"]\nrecipe = "train"',
        'technique = ["plain"]\nbatch_size = [2, 4]\ndevice = ["cpu"]\nrecipe = "train"',
    )
    message = "could start from 2 cells alpha train plain: give weights.batch_size"
    with pytest.raises(InputError, match=message):
        planned(tmp_path, two)
    chosen = ('weights = { task = "train" }', 'weights = { task = "train", batch_size = 4 }')
    plan = planned(tmp_path, two, chosen)
    by_id = {p.id: p.cell for p in plan.cells}
    parents = {by_id[p.needs[0]].batch_size for p in plan.cells if p.cell.task == "infer"}
    assert parents == {4}


def test_protocols_have_recipes_of_their_own_and_can_be_chosen(tmp_path: Path) -> None:
    changes = (
        ('protocols = ["rigorous"]', 'protocols = ["rigorous", "as-published"]'),
        ("[tiers.quick]", "[recipes.published]\nbehave = 'as-published'\n[tiers.quick]"),
        (
            'batch_size = [1, 2]\ndevice = ["cpu"]\nrecipe = "infer"',
            'batch_size = [1, 2]\ndevice = ["cpu"]\n'
            'recipe = { rigorous = "infer", as-published = "published" }',
        ),
    )
    planned(tmp_path, *changes)
    study = load_study("toy", tmp_path / "studies")
    estimates = Estimates(tmp_path / "no-history")
    both = make_plan(study, Choices("quick", None, "digits"), estimates, 0)
    assert both.protocol == "both"
    behaves = {(p.cell.protocol, p.cell.recipe["behave"]) for p in both.cells}
    assert ("as-published", "as-published") in behaves and ("rigorous", "ok") in behaves
    one = make_plan(study, Choices("quick", "as-published", "digits"), estimates, 0)
    assert {p.cell.protocol for p in one.cells} == {one.protocol} == {"as-published"}
    assert len(both.cells) == 2 * len(one.cells)


def test_an_image_may_belong_to_a_group_and_an_effort_to_a_model(tmp_path: Path) -> None:
    plan = planned(
        tmp_path, SETS, TRAINED, AXES,
        ("weights = { task", 'image = "broken"\nweights = { task'),
        ("[images]", "[effort]\nn = 3.0\n[images]"),
    )  # fmt: skip
    assert {p.image for p in plan.cells if p.cell.task == "infer"} == {"broken"}
    estimates = {p.cell.model: p.study_estimate_s for p in plan.cells}
    assert estimates == {"m": 1.0, "n": 3.0}
