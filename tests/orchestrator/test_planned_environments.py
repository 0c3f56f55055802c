"""Cells that differ from others by the environment that they run in."""

from __future__ import annotations

from pathlib import Path

from manifests.plan import Plan, PlannedCell
from tests.orchestrator.toy_plans import planned

TRAINED = (
    "[[unspecified]]",
    '[[cells]]\ntask = "train"\nframework = ["alpha"]\ntechnique = ["plain"]\nrecipe = "train"\n'
    'environment = "older"\nestimate_s = { quick = 1 }\n\n[[unspecified]]',
)
INFERRED = (
    "[[unspecified]]",
    '[[cells]]\ntask = "infer"\nframework = ["alpha", "beta"]\ntechnique = ["plain"]\n'
    'recipe = "infer"\nenvironment = "older"\nweights = { task = "train" }\n'
    "estimate_s = { quick = 1 }\n\n[[unspecified]]",
)


def of(plan: Plan, task: str, framework: str) -> dict[str, PlannedCell]:
    """By environment, of the first batch size."""
    return {
        item.cell.environment: item
        for item in reversed(plan.cells)
        if (item.cell.task, item.cell.framework) == (task, framework)
    }


def test_the_same_in_another_environment_is_another_cell(tmp_path: Path) -> None:
    trained = of(planned(tmp_path, TRAINED), "train", "alpha")
    assert trained["older"].image == "older"
    assert trained[""].image == "alpha"
    assert trained["older"].id != trained[""].id
    assert trained["older"].cell.title == trained[""].cell.title + " in older"


def test_it_starts_from_weights_of_its_own_environment_else_of_the_study_s(tmp_path: Path) -> None:
    plan = planned(tmp_path, TRAINED, INFERRED)
    for framework, own in (("alpha", "older"), ("beta", "")):
        made, used = of(plan, "train", framework), of(plan, "infer", framework)
        assert used["older"].needs == [made[own].id]
        assert used[""].needs == [made[""].id]
