"""Cells of experiments: shared ones are the same cell, and no id moves when an experiment joins."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from manifests.cell import Cell
from manifests.paths import ROOT
from manifests.plan import Plan
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.study import load_study

SHARED = 1 + 1 + 2 + 2 + 4
"""A training, ptq-fx, two of ONNX Runtime; and their inference in batches of 1 and 32."""

LAD2023 = {
    "pytorch train float32 resnet18 16 px batch 32": "8bbd889f45b9",
    "tensorflow train qat-tfmot resnet18 16 px batch 32": "4fff91fefadf",
    "pytorch train qat-eager resnet18 16 px batch 32": "f577884853cb",
    "pytorch infer qat-eager resnet18 32 px batch 1": "3d8ec9aa0dfd",
    "tensorflow infer ptq-tflite resnet18 32 px batch 1": "a11c58186845",
    "pytorch quantize dynamic resnet18 16 px batch 128": "e80163f3a3b8",
}
TOOLCHAINS = {
    "pytorch train float32 resnet18 16 px batch 32 seed 1": "004a1d024d06",
    "pytorch quantize ptq-fx resnet18 16 px batch 32 seed 1": "9a304c5d5013",
    "onnxruntime quantize ptq-qdq resnet18 16 px batch 32 seed 1": "ff63878e1fc9",
    "onnxruntime quantize dynamic resnet18 16 px batch 32 seed 1": "3719aa55ffc0",
    "onnxruntime quantize ptq-qdq percentile resnet18 16 px batch 32 seed 1": "3aed4e77e578",
    "pytorch infer ptq-fx resnet18 16 px batch 32 seed 1": "4be7140a8f2d",
    "tensorflow infer ptq-tflite resnet18 16 px batch 32 seed 1": "ee4cb97c3caa",
    "onnxruntime infer dynamic resnet18 16 px batch 32 seed 1": "19337d19525e",
}


@cache
def plan(study: str, *experiments: str, tier: str = "quick") -> Plan:
    choices = Choices(tier, None, "digits", experiments=experiments)
    return make_plan(
        load_study(study, ROOT / "studies"), choices, Estimates(Path("/nonexistent")), gpus=0
    )


def cells(study: str, name: str) -> list[Cell]:
    """Those of one experiment."""
    return [one.cell for one in plan(study, name).cells if name in (one.experiment, *one.also)]


def test_cells_that_experiments_share_are_the_same_cells() -> None:
    toolchains = {cell.id for cell in cells("shafique2023", "toolchains")}
    table1 = {cell.id for cell in cells("shafique2023", "table1")}
    assert len(toolchains & table1) == SHARED
    both = [one.id for one in plan("shafique2023", "toolchains", "table1").cells]
    assert len(both) == len(set(both)) and toolchains | table1 <= set(both)


@pytest.mark.parametrize(
    "tier",
    ["quick", *(pytest.param(tier, marks=pytest.mark.thorough) for tier in ("short", "paper"))],
)
def test_all_experiments_together_leave_every_id_as_it_is(tier: str) -> None:
    for study in ("lad2023", "shafique2023"):
        names = load_study(study, ROOT / "studies").experiments()
        every = {one.id for one in plan(study, *names, tier=tier).cells}
        for alone in ((), *((name,) for name in names)):
            assert {one.id for one in plan(study, *alone, tier=tier).cells} <= every


def test_ids_of_cells_that_were_there_before() -> None:
    """Of other versions too: runs go on, and archives are compared."""
    lad = {one.cell.title: one.id for one in plan("lad2023").cells}
    assert {title: lad[title] for title in LAD2023} == LAD2023
    toolchains = {cell.title: cell.id for cell in cells("shafique2023", "toolchains")}
    assert {title: toolchains.get(title) for title in TOOLCHAINS} == TOOLCHAINS


def test_calibration_is_by_number_diversity_and_source_for_each_calibrator() -> None:
    made = [cell for cell in cells("shafique2023", "calibration") if cell.task == "quantize"]
    asked = Counter(
        tuple(cell.recipe[f"calibration_{key}"] for key in ("images", "source", "classes"))
        for cell in made
    )
    assert asked == dict.fromkeys(
        [(8, "train", 0), (32, "train", 0), (128, "train", 0), (512, "train", 0),
         (128, "train", 1), (128, "test", 0)], 6,
    )  # fmt: skip
    assert {(cell.framework, cell.variant) for cell in made} == {
        ("pytorch", ""), ("pytorch", "minmax"), ("pytorch", "moving-average"),
        ("onnxruntime", ""), ("onnxruntime", "entropy"), ("onnxruntime", "percentile"),
    }  # fmt: skip
    assert len({cell.weights_from for cell in made}) == 1
    short = plan("shafique2023", "calibration", tier="short").cells
    assert "tensorflow" in {one.cell.framework for one in short if one.experiment == "calibration"}


def test_no_inference_starts_from_what_was_calibrated_otherwise() -> None:
    every = plan("shafique2023", "toolchains", "table1", "calibration").cells
    by_id = {one.id: one.cell for one in every}
    for one in every:
        parent = by_id.get(one.cell.weights_from or "")
        if one.cell.task == "infer" and parent is not None:
            assert "calibration_source" not in parent.recipe, one.cell.title


def test_the_control_has_qats_recipe_and_start() -> None:
    for framework, qat in (("pytorch", "qat-eager"), ("tensorflow", "qat-tfmot")):
        found = [c for c in cells("lad2023", "qat-control") if c.framework == framework]
        (baseline,) = (c for c in found if (c.technique, c.variant) == ("float32", ""))
        (control,) = (c for c in found if c.variant == "continued")
        (aware,) = (c for c in found if c.technique == qat)
        assert control.recipe == aware.recipe
        assert control.weights_from == aware.weights_from == baseline.id
        assert control.image_size == aware.image_size == 16
