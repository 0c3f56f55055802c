"""Planned cells, their manifests, and a comparison made by hand."""

from __future__ import annotations

import random
from typing import Any

from comparisons.comparison import Comparison, Line
from comparisons.differences import Difference, Differences, compare_runs, make_side
from manifests.cell import Cell
from manifests.manifest import Manifest, Metric
from manifests.plan import Plan, PlannedCell
from tests.comparisons.noise import times
from tests.manifests.samples import a_cell, a_manifest


def planned(cell: Cell) -> PlannedCell:
    return PlannedCell(
        id=cell.id,
        cell=cell,
        image="an-image",
        needs=[],
        estimate_s=1,
        study_estimate_s=1,
        estimate_source="the study",
        timeout_s=10,
    )


def a_plan(*cells: Cell) -> Plan:
    return Plan(
        study="lad2023",
        tier="quick",
        protocol="rigorous",
        dataset="digits",
        cells=[planned(cell) for cell in cells],
    )


def metric(name: str, *samples: float | None, **fields: Any) -> Metric:
    return Metric(name=name, unit="s", samples=list(samples), **fields)


def measured(cell: Cell, *metrics: Metric, **fields: Any) -> Manifest:
    return a_manifest(cell, metrics=list(metrics), **fields)


def repeats(count: int, **fields: Any) -> list[Cell]:
    return [a_cell(repeat=number, **fields) for number in range(count)]


def a_line(**changes: Any) -> Line:
    fields: dict[str, Any] = {
        "key": {"framework": "pytorch"},
        "quantity": "int8 size",
        "unit": "MiB",
        "printed": "~10.76",
        "printed_unit": "MB",
        "published": 10.76,
        "measured": 5.38,
        "ratio": 0.5,
        "n": 1,
        "samples": 3,
        "state": "ok",
        "cells": ["0123456789ab"],
        "flags": ["drift", "few-samples"],
    }
    return Line(**{**fields, **changes})


def a_comparison(*lines: Line, **changes: Any) -> Comparison:
    fields: dict[str, Any] = {
        "id": "table1",
        "title": "Model size",
        "place": "Table I",
        "scope": "tier quick · digits · rigorous",
        "scope_note": "tier quick: minutes",
        "note": "a note",
        "key": ["framework"],
        "lines": list(lines),
        "issues": [],
        "run": "a-run",
    }
    return Comparison(**{**fields, **changes})


def processes(name: str, values: list[float], **fields: Any) -> list[Manifest]:
    """One manifest for each value: repeats of one cell, ten samples in each."""
    return [
        measured(a_cell(repeat=number), metric(name, *[value] * 10), **fields)
        for number, value in enumerate(values)
    ]


def a_run(
    source: random.Random, cells: int, repeats: int, effect: float, middle: float = 1.0
) -> list[Manifest]:
    """Processes of a run that was by that effect (a spread of logarithms) slow or fast, a cell
    at a time.
    """
    found = []
    for cell in range(cells):
        level = middle * source.lognormvariate(0.0, effect)
        found += [
            measured(a_cell(batch_size=cell + 1, repeat=n), metric("latency_s", value))
            for n, value in enumerate(times(source, repeats, level))
        ]
    return found


def compare(base: list[Manifest], new: list[Manifest]) -> Differences:
    return compare_runs(make_side([("a", base)]), make_side([("b", new)]))


def only(base: list[Manifest], new: list[Manifest]) -> Difference:
    (line,) = compare(base, new).lines
    return line


def rung(technique: str, **changes: object) -> Cell:
    return a_cell(framework="tensorflow", task="infer", technique=technique, **changes)
