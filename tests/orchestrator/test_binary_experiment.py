"""Experiment binary of shafique2023: both topologies, each trained once, in both toolchains."""

from __future__ import annotations

from pathlib import Path

import pytest

from comparisons.measured import measure_place, row_keys
from comparisons.points import Points
from manifests.cell import Cell
from manifests.paths import ROOT
from manifests.plan import Plan
from orchestrator.planning.estimates import Estimates
from orchestrator.planning.planner import Choices, make_plan
from papers.paper import find_paper
from papers.study import load_study

MODELS = {"quick": {"lfc", "cnv"}, "short": {"cnv"}, "paper": {"cnv"}}
"""LFC takes small grey pictures, which only the embedded digits are."""
STARTS = {
    ("brevitas", "quantize", "w1a1"): ("brevitas", "train", "w1a1"),
    ("brevitas", "quantize", "w2a1"): ("brevitas", "train", "w2a1"),
    ("larq", "quantize", "float32"): ("brevitas", "train", "float32"),
    ("larq", "quantize", "w1a1"): ("brevitas", "train", "w1a1"),
    ("brevitas", "infer", "float32"): ("brevitas", "train", "float32"),
    ("brevitas", "infer", "w1a1"): ("brevitas", "quantize", "w1a1"),
    ("brevitas", "infer", "w2a1"): ("brevitas", "quantize", "w2a1"),
    ("brevitas", "infer", "fpga"): ("brevitas", "quantize", "w1a1"),
    ("larq", "infer", "float32"): ("larq", "quantize", "float32"),
    ("larq", "infer", "w1a1"): ("larq", "quantize", "w1a1"),
}
ROWS = {("brevitas", name) for name in ("float32", "w1a1", "w2a1", "fpga")} | {
    ("larq", "float32"), ("larq", "w1a1"),
}  # fmt: skip


def plan_of(tier: str) -> Plan:
    study = load_study("shafique2023", ROOT / "studies")
    choices = Choices(tier, None, study.tier(tier).dataset, experiments=("binary",))
    return make_plan(study, choices, Estimates(Path("/nonexistent")), 0)


def named(cell: Cell) -> tuple[str, str, str]:
    return cell.framework, cell.task, cell.technique


@pytest.mark.parametrize("tier", ["quick", "short", "paper"])
def test_every_row_starts_from_the_training_of_its_own_network(tier: str) -> None:
    cells = {one.id: one.cell for one in plan_of(tier).cells if one.experiment == "binary"}
    assert {cell.model for cell in cells.values()} == MODELS[tier]
    for model in MODELS[tier]:
        own = [cell for cell in cells.values() if cell.model == model]
        trained = [named(cell) for cell in own if cell.weights_from is None]
        assert sorted(trained) == [
            ("brevitas", "train", name) for name in ("float32", "w1a1", "w2a1")
        ]
        starts = {named(cell): cells[cell.weights_from] for cell in own if cell.weights_from}
        assert {name: named(start) for name, start in starts.items()} == STARTS
        assert {start.model for start in starts.values()} == {model}


def test_a_row_is_a_network_in_a_toolchain_and_no_place_has_cells_of_two_kinds() -> None:
    points = Points(plan_of("quick").cells, [])
    table = next(t.file for t in find_paper("shafique2023").tables if t.file.id == "binary")
    rows = row_keys(table, points)
    assert {tuple(row.values()) for row in rows} == {
        (model, *row) for model in MODELS["quick"] for row in ROWS
    }
    places = {
        (*row.values(), column.name): measure_place(table, column, row, points).cells
        for row in rows
        for column in table.column
    }
    assert all(len(cells) <= 1 for cells in places.values())
    for model in MODELS["quick"]:
        for name in ("inside", "packed", "executed"):
            assert len(places[model, "brevitas", "w2a1", name]) == 1
        for name in ("latency_1", "latency_32", "size", "agreement"):
            assert len(places[model, "larq", "w1a1", name]) == 1
