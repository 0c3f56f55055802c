"""Experiment toolchains of shafique2023: one training a network, every toolchain, one row each."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparisons.measured import measure_place, row_keys
from comparisons.points import Points
from manifests.paths import ROOT
from manifests.plan import Plan, PlannedCell
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.paper import find_paper
from papers.study import load_study

MADE = {
    "pytorch": {"ptq-fx", "ptq-fx symmetric", "ptq-fx per-tensor", "ptq-pt2e"},
    "tensorflow": {
        "tflite-float32", "ptq-tflite", "dynamic-tflite", "float16-tflite", "ptq-int16x8",
        "ptq-aieq", "ptq-aieq dynamic",
    },
    "onnxruntime": {
        "float32", "ptq-qdq", "ptq-qdq entropy", "ptq-qdq percentile", "ptq-qdq-s8s8",
        "ptq-qdq-u8u8", "ptq-qoperator", "dynamic",
    },
}  # fmt: skip


def plan_of(tier: str, *experiments: str) -> Plan:
    study = load_study("shafique2023", ROOT / "studies")
    choices = Choices(tier, None, study.tier(tier).dataset, experiments=experiments)
    return make_plan(study, choices, Estimates(Path("/nonexistent")), 0)


def own(plan: Plan, task: str) -> list[PlannedCell]:
    return [one for one in plan.cells if one.experiment == "toolchains" and one.cell.task == task]


@pytest.mark.parametrize("tier", ["quick", "short", "paper"])
@pytest.mark.parametrize("model", ["resnet18", "mobilenet-v1"])
def test_every_toolchain_starts_from_one_training(tier: str, model: str) -> None:
    plan = plan_of(tier, "toolchains")
    train, quantizing, inferring = (
        [one for one in own(plan, task) if one.cell.model == model]
        for task in ("train", "quantize", "infer")
    )
    if (tier, model) == ("quick", "mobilenet-v1"):
        assert not [*train, *quantizing, *inferring]  # it doesn't learn in minutes
        return
    (training,) = train
    starts = {one.id: one.cell.weights_from for one in quantizing}
    # Some quantize a file that another toolchain made of the float model.
    assert {starts.get(start, start) for start in starts.values()} == {training.id}
    made: dict[str, set[str]] = {}
    for one in quantizing:
        name = f"{one.cell.technique} {one.cell.variant}".rstrip()
        made.setdefault(one.cell.framework, set()).add(name)
    assert all(MADE[framework] <= made[framework] for framework in MADE)
    makers = {training.id, *(one.id for one in quantizing)}
    assert {one.cell.weights_from for one in inferring} <= makers


def test_the_network_learns_in_minutes() -> None:
    """At chance neither accuracy nor agreement would say anything."""
    made = [*own(plan_of("quick", "toolchains"), "train")]
    assert [(one.cell.model, one.cell.image_size) for one in made] == [("resnet18", 16)]
    recipe = made[0].cell.recipe
    assert recipe["epochs"] * recipe["train_images"] / made[0].cell.batch_size >= 160


def test_the_cells_that_run_by_default_are_as_they_are_without_it() -> None:
    without = [one.id for one in plan_of("quick").cells]
    beside = plan_of("quick", "toolchains").cells
    assert [one.id for one in beside if not one.experiment] == without
    assert {one.cell.batch_size for one in beside if one.experiment == "toolchains"} == {1, 32}


def test_a_row_is_a_toolchain_and_no_place_has_cells_of_two_kinds() -> None:
    plan = plan_of("quick", "toolchains")
    points = Points(plan.cells, [])
    table = next(t.file for t in find_paper("shafique2023").tables if t.file.id == "toolchains")
    rows = row_keys(table, points)
    named = {(row["framework"], f"{row['technique']} {row['variant']}".rstrip()) for row in rows}
    assert named >= {(framework, name) for framework, names in MADE.items() for name in names}
    found = {
        (row["framework"], row["technique"], row["variant"], column.name): measure_place(
            table, column, row, points
        ).cells
        for row in rows
        for column in table.column
    }
    assert all(len(cells) <= 1 for cells in found.values())
    assert len(found["onnxruntime", "ptq-qdq", "", "latency_1"]) == 1
    assert len(found["onnxruntime", "ptq-qdq", "entropy", "accuracy"]) == 1
    assert found["onnxruntime", "ptq-qdq", "entropy", "latency_1"] == []
    assert len(found["pytorch", "float32", "", "accuracy"]) == 1
    assert found["pytorch", "float32", "", "agreement"] == []


@pytest.mark.parametrize("tier", ["quick", "short", "paper"])
def test_the_interpreter_for_microcontrollers_takes_tensorflows_files(tier: str) -> None:
    plan = plan_of(tier, "toolchains")
    starts = {}
    for one in own(plan, "infer"):
        if one.cell.framework == "tflite_micro":
            assert (one.cell.batch_size, one.image) == (1, "tflite-micro")
            maker = next(other for other in plan.cells if other.id == one.cell.weights_from)
            assert maker.cell.model == one.cell.model
            starts[one.cell.technique] = (maker.cell.framework, maker.cell.technique)
    assert starts == {
        "float32": ("tensorflow", "tflite-float32"), "int8": ("tensorflow", "ptq-tflite"),
        "cortex-m": ("tensorflow", "ptq-tflite"),
    }  # fmt: skip
