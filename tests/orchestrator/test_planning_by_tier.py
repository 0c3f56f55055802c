"""What a tier changes of a group's cells, weights of another image size, repeats, experiments."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.cell import Cell
from manifests.errors import InputError
from manifests.plan import Plan
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.study import load_study
from services.study_check import check_study
from tests.fakes.studies import write_study

TRAIN = 'device = ["cpu"]\nrecipe = "train"'
INFER = 'device = ["cpu"]\nrecipe = "infer"\nweights = { task = "train" }'
SMALL = (TRAIN, f"{TRAIN}\ninstead.quick = {{ image_size = [4], batch_size = [1] }}")
ANY = ('weights = { task = "train" }', 'weights = { task = "train", image_size = "any" }')
SLOW = (
    "[[cells]]",
    '[tiers.slow]\nabout = "later"\nrepeats = 1\n'
    "timeout_s = { train = 60.0, quantize = 60.0, infer = 60.0 }\n\n[[cells]]",
)
ESTIMATES = (("estimate_s = { quick = 1 }", "estimate_s = { quick = 1, slow = 1 }"),) * 2
# A second group of trainings, of which nothing starts.
STEPS = (
    'weights = { task = "train" }\nestimate_s = { quick = 1 }\n',
    'weights = { task = "train" }\nestimate_s = { quick = 1 }\n\n[[cells]]\ntask = "train"\n'
    'framework = ["alpha", "beta"]\ntechnique = ["plain"]\nrecipe = "steps"\n'
    "repeats.quick = 3\nestimate_s = { quick = 1 }\n",
)
RECIPE = (
    "[recipes.infer]",
    "[recipes.steps]\nbehave = 'ok'\nkeep_weights = false\n[recipes.infer]",
)
SEEDS = (
    "[[unspecified]]",
    '[[cells]]\ntask = "train"\nframework = ["alpha"]\ntechnique = ["plain"]\nrecipe = "train"\n'
    'seed = [1, 2]\nexperiment = "seeds"\nestimate_s = { quick = 1 }\n\n[[unspecified]]',
)
SEEDED = (
    "[[unspecified]]",
    '[[cells]]\ntask = "infer"\nframework = ["alpha"]\ntechnique = ["plain"]\nrecipe = "infer"\n'
    'seed = [1, 2]\nexperiment = "seeds"\nweights = { task = "train" }\n'
    "estimate_s = { quick = 1 }\n\n[[unspecified]]",
)


def written(folder: Path, *changes: tuple[str, str]) -> Path:
    """The toy study after each (old, new) was applied to its text once, in that order."""
    study = write_study(folder, batch_sizes=[2])
    path = study / "study.toml"
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)
    return study


def planned(
    folder: Path, *changes: tuple[str, str], tier: str = "quick", experiments: tuple[str, ...] = ()
) -> Plan:
    written(folder, *changes)
    study = load_study("toy", folder / "studies")
    choices = Choices(tier, "rigorous", "digits", experiments=experiments)
    return make_plan(study, choices, Estimates(folder / "no-history"), gpus=0)


def parents(plan: Plan) -> list[tuple[Cell, Cell]]:
    """Cells that start from weights, each with the cell that made them."""
    by_id = {one.id: one.cell for one in plan.cells}
    return [(one.cell, by_id[one.needs[0]]) for one in plan.cells if one.needs]


def test_a_tier_has_other_sizes_in_place_of_the_groups(tmp_path: Path) -> None:
    changes = (SLOW, *ESTIMATES, SMALL, ANY)
    quick, slow = (planned(tmp_path / tier, *changes, tier=tier) for tier in ("quick", "slow"))
    sizes = {(c.task, c.image_size, c.batch_size) for c in (one.cell for one in quick.cells)}
    assert sizes == {("train", 4, 1), ("infer", 8, 2)}
    sizes = {(c.task, c.image_size, c.batch_size) for c in (one.cell for one in slow.cells)}
    assert sizes == {("train", 8, 2), ("infer", 8, 2)}


def test_weights_of_any_size_lead_to_the_cell_there_is(tmp_path: Path) -> None:
    pairs = parents(planned(tmp_path, SMALL, ANY))
    assert [(child.image_size, made.image_size) for child, made in pairs] == [(8, 4), (8, 4)]
    assert all(child.framework == made.framework for child, made in pairs)


def test_weights_of_any_size_are_those_of_the_own_size_where_it_is_there(tmp_path: Path) -> None:
    both = (TRAIN, f"{TRAIN}\nimage_size = [4, 8]")
    pairs = parents(planned(tmp_path, both, ANY))
    assert [(child.image_size, made.image_size) for child, made in pairs] == [(8, 8), (8, 8)]


def test_a_size_can_be_named(tmp_path: Path) -> None:
    both = (TRAIN, f"{TRAIN}\nimage_size = [4, 8]")
    four = ('weights = { task = "train" }', 'weights = { task = "train", image_size = 4 }')
    pairs = parents(planned(tmp_path, both, four))
    assert {(child.image_size, made.image_size) for child, made in pairs} == {(8, 4)}


def test_weights_are_not_taken_from_another_size_unasked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="starts from alpha train plain, which no group before"):
        planned(tmp_path, SMALL)


def test_a_study_that_takes_any_size_keeps_its_ids(tmp_path: Path) -> None:
    before, after = planned(tmp_path / "a"), planned(tmp_path / "b", ANY)
    assert [one.id for one in before.cells] == [one.id for one in after.cells]


def test_no_cell_starts_from_a_training_that_keeps_no_weights(tmp_path: Path) -> None:
    plan = planned(tmp_path, RECIPE, STEPS)
    assert {made.recipe.get("keep_weights", True) for _, made in parents(plan)} == {True}
    only = ('recipe = "train"', 'recipe = "steps"')
    with pytest.raises(InputError, match="starts from alpha train plain, which no group before"):
        planned(tmp_path / "b", RECIPE, only)


def test_training_is_repeated_where_its_group_says_so_forwards_and_back(tmp_path: Path) -> None:
    plan = planned(tmp_path, RECIPE, STEPS)
    steps = [
        (one.cell.framework, one.cell.repeat)
        for one in plan.cells
        if "keep_weights" in one.cell.recipe
    ]
    assert steps == [
        ("alpha", 0), ("beta", 0), ("beta", 1), ("alpha", 1), ("beta", 2), ("alpha", 2),
    ]  # fmt: skip
    order = [one.cell.task for one in plan.cells]
    assert order == ["train"] * 6 + ["infer"] * 2 + ["train"] * 2  # quadruple by quadruple


def test_others_start_from_the_first_process_of_a_point(tmp_path: Path) -> None:
    again = (TRAIN, f"{TRAIN}\nrepeats.quick = 4")
    once, often = planned(tmp_path / "a"), planned(tmp_path / "b", again)
    assert {made.repeat for _, made in parents(often)} == {0}
    infer = [[one.id for one in plan.cells if one.needs] for plan in (once, often)]
    assert infer[0] == infer[1]


def test_a_group_says_how_often_inference_is_repeated(tmp_path: Path) -> None:
    plan = planned(tmp_path, (INFER, f"{INFER}\nrepeats.quick = 2"))
    found = [(c.framework, c.repeat) for c in (one.cell for one in plan.cells) if c.weights_from]
    assert found == [("alpha", 0), ("beta", 0), ("beta", 1), ("alpha", 1)]


def test_an_experiment_is_planned_when_it_is_asked_for(tmp_path: Path) -> None:
    default = planned(tmp_path / "a", SEEDS)
    assert {one.cell.seed for one in default.cells} == {0} and default.experiments == []
    both = planned(tmp_path / "b", SEEDS, experiments=("seeds",))
    assert both.experiments == ["seeds"]
    added = [one for one in both.cells if one.experiment == "seeds"]
    assert [one.cell.seed for one in added] == [1, 2]
    assert [one.id for one in both.cells if not one.experiment] == [one.id for one in default.cells]


def test_a_seed_starts_from_its_own_training(tmp_path: Path) -> None:
    pairs = parents(planned(tmp_path, SEEDS, SEEDED, experiments=("seeds",)))
    assert sorted((child.seed, made.seed) for child, made in pairs) == [
        (0, 0), (0, 0), (1, 1), (2, 2),
    ]  # fmt: skip


def test_seeds_are_told_apart_in_titles(tmp_path: Path) -> None:
    plan = planned(tmp_path, SEEDS, experiments=("seeds",))
    titles = [one.cell.title for one in plan.cells if one.experiment]
    assert titles == ["alpha train plain batch 2 seed 1", "alpha train plain batch 2 seed 2"]


def test_an_unknown_experiment_names_those_there_are(tmp_path: Path) -> None:
    message = r"no experiment 'seed' of toy\. Did you mean 'seeds'\? Accepted: default, seeds"
    with pytest.raises(InputError, match=message):
        planned(tmp_path, SEEDS, experiments=("seed",))
    with pytest.raises(InputError, match=r"no experiment 'seeds' of toy\. Accepted: default"):
        planned(tmp_path / "b", experiments=("seeds",))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("instead.quik = { batch_size = [1] }",
         "instead.quik: no tier 'quik'. Did you mean 'quick'? Accepted: quick"),
        ("instead.quick = { image_size = [0] }", "image_size 0: 1 is the least"),
        ("instead.quick = { technique = ['x'] }", "instead.quick.technique"),
        ("image_size = []", "image_size is empty, or has an empty entry"),
        ("batch_size = [-1]", "batch_size -1: 1 is the least"),
        ("seed = [-1]", "seed -1: 0 is the least"),
        ("repeats.quik = 2", "repeats: no tier 'quik'. Did you mean 'quick'? Accepted: quick"),
        ("experiment = 'default'", "experiment: 'default' is what the cells of no experiment are"),
        ("also = ['default']", "also: 'default' is what the cells of no experiment are called"),
        ("experiment = 'one'\nalso = ['one']", "also: 'one' is empty, or named twice"),
        ("also = ['']", "also: '' is empty, or named twice"),
        ("repeats.quick = 0", "quick = 0: every cell has one process at least"),
    ],
)  # fmt: skip
def test_what_a_group_says_by_tier_is_checked(tmp_path: Path, line: str, message: str) -> None:
    study = written(tmp_path, (TRAIN, f"{TRAIN}\n{line}"))
    found = [str(mistake) for mistake in check_study(study)]
    assert any(message in text for text in found), found


def test_weights_of_a_size_that_is_no_number_are_refused(tmp_path: Path) -> None:
    change = ('weights = { task = "train" }', 'weights = { task = "train", image_size = "all" }')
    with pytest.raises(InputError, match=r"weights\.image_size"):
        planned(tmp_path, change)


def test_a_tier_that_leaves_a_group_out_needs_no_estimate(tmp_path: Path) -> None:
    changes = (SLOW, (ESTIMATES[0][0], f"{ESTIMATES[0][1]}\nonly.slow = []"), ESTIMATES[1], ANY)
    without = (*changes, ("estimate_s = { quick = 1, slow = 1 }", "estimate_s = { quick = 1 }"))
    study = written(tmp_path, *without)
    told = [str(mistake) for mistake in check_study(study)]
    assert not any("no estimate_s" in text for text in told), told


def test_a_part_takes_from_what_the_tier_has_instead(tmp_path: Path) -> None:
    line = "instead.quick = { batch_size = [1, 4] }\nonly.quick = [{ batch_size = [4] }]"
    plan = planned(tmp_path, (TRAIN, f"{TRAIN}\n{line}"))
    assert {one.cell.batch_size for one in plan.cells if not one.needs} == {4}


def test_each_of_several_recipes_gives_a_cell(tmp_path: Path) -> None:
    several = ('recipe = "infer"', 'recipe = ["infer", "again"]')
    again = ("[recipes.infer]", "[recipes.again]\nbehave = 'ok'\nsamples = 7\n\n[recipes.infer]")
    cells = [one.cell for one in planned(tmp_path, again, several).cells if one.needs]
    assert len(cells) == 4 and len({cell.id for cell in cells}) == 4
    assert [cell.recipe.get("samples") for cell in cells].count(7) == 2
    one = [one.cell.id for one in planned(tmp_path / "b").cells if one.needs]
    assert set(one) < {cell.id for cell in cells}


@pytest.mark.parametrize(
    ("recipe", "message"),
    [("[]", "recipe is empty"), ('["infer", "infr"]', "no recipe 'infr'. Did you mean 'infer'?")],
)
def test_several_recipes_are_checked(tmp_path: Path, recipe: str, message: str) -> None:
    study = written(tmp_path, ('recipe = "infer"', f"recipe = {recipe}"))
    found = [str(mistake) for mistake in check_study(study)]
    assert any(message in text for text in found), found


def test_a_group_may_belong_to_several_experiments(tmp_path: Path) -> None:
    both = (SEEDS[0], SEEDS[1].replace('"seeds"', '"seeds"\nalso = ["more"]'))
    default, seeds, more, all_three = (
        {one.id for one in planned(tmp_path / "".join(names), both, experiments=names).cells}
        for names in ((), ("seeds",), ("more",), ("seeds", "more"))
    )
    assert len(seeds) == len(default) + 2 and seeds == more == all_three
