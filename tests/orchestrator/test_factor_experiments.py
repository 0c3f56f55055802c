"""Experiments factors, cpu-ladder and fusion: their cells, and the rows of their tables."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from comparisons.measured import measure_place, row_keys
from comparisons.points import Points
from manifests.paths import ROOT
from manifests.plan import Plan, PlannedCell
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.paper import find_paper
from papers.published import TableFile
from papers.study import load_study
from runners.models.network_size import network_size

TIERS = ["quick", "short", "paper"]
NETWORKS = [
    "mobilenet-v1", "mobilenet-v1-25", "mobilenet-v1-50", "mobilenet-v1-shallow",
    "mobilenet-v1-shallow-50", "vgg4-16", "vgg4-32", "vgg4-64", "vgg8-16", "vgg8-32",
]  # fmt: skip
RUNGS = {
    "tensorflow": {"keras-predict", "signature", "tflite-float32", "ptq-tflite"},
    "pytorch": {"float32", "channels-last", "compiled", "compiled-bfloat16", "ptq-pt2e"},
    "onnxruntime": {"float32", "ptq-qdq"},
    "openvino": {"float32", "bfloat16", "ptq-nncf"},
}


def plan_of(study_id: str, experiment: str, tier: str = "quick") -> Plan:
    study = load_study(study_id, ROOT / "studies")
    choices = Choices(tier, None, study.tier(tier).dataset, experiments=[experiment])
    return make_plan(study, choices, Estimates(Path("/nonexistent")), 0)


def own(plan: Plan, task: str) -> list[PlannedCell]:
    (experiment,) = plan.experiments
    return [one for one in plan.cells if one.experiment == experiment and one.cell.task == task]


def table_of(study: str, name: str) -> TableFile:
    return next(table.file for table in find_paper(study).tables if table.file.id == name)


@pytest.mark.parametrize("tier", TIERS)
def test_ten_networks_are_timed_in_float32_and_int8_from_one_training_each(tier: str) -> None:
    plan = plan_of("shafique2023", "factors", tier)
    assert sorted(one.cell.model for one in own(plan, "train")) == NETWORKS
    trained = {one.id: one.cell.model for one in own(plan, "train")}
    made = {one.id: one.cell for one in own(plan, "quantize")}
    assert all(trained[cell.weights_from or ""] == cell.model for cell in made.values())
    timed = Counter((one.cell.model, one.cell.technique) for one in own(plan, "infer"))
    assert set(timed) == {(model, kind) for model in NETWORKS for kind in ("float32", "ptq-qdq")}
    assert set(timed.values()) == {8 if tier == "paper" else 4}
    starts = {(one.cell.technique, one.cell.weights_from) for one in own(plan, "infer")}
    assert all(made[start or ""].technique == technique for technique, start in starts)


def test_a_row_of_factors_is_a_network() -> None:
    points = Points(plan_of("shafique2023", "factors").cells, [])
    table = table_of("shafique2023", "factors")
    rows = row_keys(table, points)
    assert [row["model"] for row in rows] == NETWORKS
    for row in rows:
        for column in (column for column in table.column if not column.derive):
            assert len(measure_place(table, column, row, points).cells) == 4


def test_the_networks_tell_parameters_and_computation_apart() -> None:
    """More parameters don't come with more multiply-adds among them."""
    sizes = [network_size(model, 10, 48) for model in NETWORKS]
    known = [size for size in sizes if size is not None]
    assert len({size.parameters for size in known}) == len({s.multiply_adds for s in known}) == 10
    order = sorted(known, key=lambda size: size.parameters)
    pairs = [(a, b) for index, a in enumerate(order) for b in order[index + 1 :]]
    against = sum(a.multiply_adds > b.multiply_adds for a, b in pairs)
    assert len(pairs) / 4 < against < 3 * len(pairs) / 4


@pytest.mark.parametrize("tier", TIERS)
def test_every_rung_of_a_processor_at_both_batch_sizes_from_the_same_weights(tier: str) -> None:
    plan = plan_of("shafique2023", "cpu-ladder", tier)
    found: dict[str, set[str]] = {}
    for one in own(plan, "infer"):
        found.setdefault(one.cell.framework, set()).add(one.cell.technique)
    assert found == RUNGS
    (training,) = own(plan, "train")
    makers = {one.id: one.cell.weights_from for one in own(plan, "quantize")}
    assert set(makers.values()) == {training.id, None}  # the matrix product starts from nothing
    starts = {one.cell.weights_from or "" for one in own(plan, "infer")}
    assert {makers.get(start, start) for start in starts} == {training.id}
    batches = Counter((one.cell.framework, one.cell.technique) for one in own(plan, "infer"))
    assert all(count % 2 == 0 for count in batches.values())


def test_the_peak_stands_beside_every_rung_and_is_none_itself() -> None:
    points = Points(plan_of("shafique2023", "cpu-ladder").cells, [])
    table = table_of("shafique2023", "cpu-ladder")
    rows = row_keys(table, points)
    assert {(row["framework"], row["technique"]) for row in rows} == {
        (framework, technique) for framework, names in RUNGS.items() for technique in names
    }
    peaks = [column for column in table.column if column.elsewhere]
    assert [column.source for column in peaks] == ["float32", "bfloat16", "int8"]
    (product,) = (one.id for one in points.all if one.cell.technique == "matrix-product")
    for row in rows:
        assert [measure_place(table, column, row, points).cells for column in peaks] == [
            [product]
        ] * 3


@pytest.mark.parametrize("tier", TIERS)
def test_fused_or_not_and_whole_or_not_are_every_combination(tier: str) -> None:
    plan = plan_of("lad2023", "fusion", tier)
    wanted = {
        ("resnet18", ""), ("resnet18", "unfused"), ("resnet18", "ends-float"),
        ("resnet18", "ends-float-unfused"), ("mobilenet-v1", ""), ("mobilenet-v1", "unfused"),
    }  # fmt: skip
    made = {one.id: (one.cell.model, one.cell.variant) for one in own(plan, "quantize")}
    assert set(made.values()) == wanted
    starts = {
        (one.cell.weights_from, one.cell.model, one.cell.variant) for one in own(plan, "infer")
    }
    assert all(made[start or ""] == (model, variant) for start, model, variant in starts)
    rows = row_keys(table_of("lad2023", "fusion"), Points(plan.cells, []))
    assert {(row["model"], row["variant"]) for row in rows} == wanted
