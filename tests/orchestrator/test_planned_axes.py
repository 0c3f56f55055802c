"""Plans of groups with several models, data sets, sizes, variants and protocols."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from manifests.errors import InputError
from manifests.plan import Plan
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.study import load_study
from tests.fakes.studies import write_study
from tests.orchestrator.toy_plans import ids, planned

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
