"""Which cells share a job: those that are compared, and short ones."""

from __future__ import annotations

from pathlib import Path

from manifests.plan import PlannedCell
from orchestrator.planning.bundles import Group, comparison_of, group
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.study import load_study
from tests.fakes.studies import write_study

LONG_S = 0.5  # every cell's estimate is more
SHORT_S = 100.0


def planned(folder: Path, *changes: tuple[str, str], repeats: int = 1) -> list[PlannedCell]:
    path = write_study(folder, repeats=repeats) / "study.toml"
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)
    study = load_study("toy", folder / "studies")
    choices = Choices("quick", None, "digits", repeats=repeats)
    return make_plan(study, choices, Estimates(folder / "none"), gpus=0).cells


def shown(groups: list[Group]) -> list[tuple[int, list[str]]]:
    return [(one.level, [p.cell.title for p in one.cells]) for one in groups]


def test_partners_share_a_job_in_the_order_of_the_plan_and_wait_for_what_they_start_from(
    tmp_path: Path,
) -> None:
    assert shown(group(planned(tmp_path), LONG_S)) == [
        (0, ["alpha train plain batch 2", "beta train plain batch 2"]),
        (
            1,
            [
                "alpha infer plain batch 1",
                "alpha infer plain batch 2",
                "beta infer plain batch 1",
                "beta infer plain batch 2",
            ],
        ),
    ]


def test_each_quadruple_is_a_job_of_its_own(tmp_path: Path) -> None:
    groups = group(planned(tmp_path, repeats=4), LONG_S)
    repeats = [(one.level, sorted({p.cell.repeat for p in one.cells})) for one in groups]
    assert repeats == [(0, [0, 1]), (0, [2, 3]), (1, [0, 1]), (1, [2, 3])]
    first = [p.cell.title for p in groups[2].cells]
    assert first[:4] == [title.removesuffix(" repeat 1") for title in reversed(first[4:])]


def test_what_is_not_compared_is_apart_unless_it_is_short(tmp_path: Path) -> None:
    seeds = ('task = "infer"', 'task = "infer"\nseed = [1, 2, 3]')
    cells = planned(tmp_path, seeds)
    assert [len(one.cells) for one in group(cells, LONG_S)] == [2, 4, 4, 4]
    assert [len(one.cells) for one in group(cells, SHORT_S)] == [2, 12]
    assert [len(one.cells) for one in group(cells, 6.0)] == [2, 8, 4]


def test_what_makes_models_and_what_infers_share_no_job(tmp_path: Path) -> None:
    cells = [p for p in planned(tmp_path) if not p.needs or p.cell.batch_size == 1]
    alone = [p for p in cells if p.cell.framework == "alpha"]
    assert [len(one.cells) for one in group(alone, SHORT_S)] == [1, 1]


def test_cells_whose_weights_are_there_wait_for_nothing(tmp_path: Path) -> None:
    infer = [p for p in planned(tmp_path) if p.cell.task == "infer"]
    assert [one.level for one in group(infer, LONG_S)] == [0]


def test_what_is_missing_of_a_comparison_goes_where_the_rest_ran(tmp_path: Path) -> None:
    cells = planned(tmp_path)
    nodes = {comparison_of(cells[-1]): "n7"}
    assert [one.node for one in group(cells, LONG_S, nodes)] == ["", "n7"]


def test_groups_that_wait_for_one_another_become_one(tmp_path: Path) -> None:
    """A network of one size starts from one of the other, and the other way round."""
    sizes = (
        '[[cells]]\ntask = "infer"',
        '[[cells]]\ntask = "quantize"\nframework = ["alpha"]\ntechnique = ["other"]\n'
        'image_size = [16]\nrecipe = "train"\nestimate_s = { quick = 1 }\n'
        'weights = { task = "train", technique = "plain", image_size = 8 }\n\n'
        '[[cells]]\ntask = "quantize"\nframework = ["alpha"]\ntechnique = ["back"]\n'
        'image_size = [8]\nrecipe = "train"\nestimate_s = { quick = 1 }\n'
        'weights = { task = "quantize", technique = "other", image_size = 16 }\n\n'
        '[[cells]]\ntask = "infer"',
    )
    groups = group(planned(tmp_path, sizes), LONG_S)
    assert shown(groups)[0] == (0, [
        "alpha train plain batch 2", "beta train plain batch 2",
        "alpha quantize other batch 2", "alpha quantize back batch 2",
    ])  # fmt: skip
