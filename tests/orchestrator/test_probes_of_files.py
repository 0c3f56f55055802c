"""Probes that start from another probe's file, because no TensorFlow is where they run."""

from __future__ import annotations

from pathlib import Path

from manifests.features import FEATURES
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.study import load_study


def test_each_starts_from_the_probe_of_its_own_feature() -> None:
    study = load_study("lad2023")
    choices = Choices("quick", None, "digits", experiments=["matrix"])
    plan = make_plan(study, choices, Estimates(Path("/nonexistent")), 0)
    cells = {one.id: one.cell for one in plan.cells}
    mine = [one for one in plan.cells if one.cell.technique == "ptq-aieq"]
    assert len(mine) == 2 * len(FEATURES)
    assert {(one.image, one.cell.variant) for one in mine} == {
        ("litert-cpu", ""), ("litert-cpu", "dynamic"),
    }  # fmt: skip
    for one in mine:
        start = cells[one.cell.weights_from or ""]
        assert (start.technique, start.task) == ("ptq-tflite", "probe")
        assert start.feature == one.cell.feature
