"""lad2023's experiment batch-norm: every quantizing technique, now and in spring 2023."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.plan import Plan
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.study import load_study

NOW = {
    "pytorch": {
        "ptq-eager", "ptq-fx", "ptq-pt2e", "dynamic", "int8-torchao", "qat-eager", "qat-fx",
    },
    "tensorflow": {
        "ptq-tflite", "ptq-int16x8", "dynamic-tflite", "float16-tflite", "ptq-aieq", "qat-tfmot",
        "tflite-float32",
    },
}  # fmt: skip
NOT_YET = {"ptq-pt2e", "int8-torchao", "ptq-aieq", "tflite-float32"}
"""What spring 2023 had not, and what needs no quantizing."""


def the_plan(tier: str) -> Plan:
    study = load_study("lad2023")
    choices = Choices(tier, None, study.tier(tier).dataset, experiments=["batch-norm"])
    return make_plan(study, choices, Estimates(Path("/nonexistent")), 0)


def techniques(plan: Plan, framework: str, environment: str) -> set[str]:
    return {
        one.cell.technique
        for one in plan.cells
        if (one.cell.framework, one.cell.environment) == (framework, environment)
        and one.cell.model == "resnet18-bn" and one.cell.weights_from
    }  # fmt: skip


@pytest.mark.parametrize("tier", ["quick", "short", "paper"])
def test_every_technique_is_tried_now_and_then(tier: str) -> None:
    plan = the_plan(tier)
    for framework, older in (("pytorch", "pytorch-2.0"), ("tensorflow", "tensorflow-2.12")):
        assert techniques(plan, framework, "") == NOW[framework]
        assert techniques(plan, framework, older) == NOW[framework] - NOT_YET


def test_all_of_a_framework_start_from_one_training() -> None:
    cells = {one.id: one for one in the_plan("quick").cells}
    mine = [one for one in cells.values() if one.cell.model == "resnet18-bn"]
    first = {one.cell.framework: one.id for one in mine if not one.cell.weights_from}
    assert len(first) == 2
    for one in mine:
        start = one
        while start.cell.weights_from:
            start = cells[start.cell.weights_from]
        assert start.id == first[one.cell.framework]
    assert {one.image for one in mine} == {
        "pytorch-cpu", "tensorflow-cpu", "litert-cpu", "pytorch-2.0", "tensorflow-2.12",
    }  # fmt: skip
