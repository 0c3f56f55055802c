"""How long a cell will take: its own past first, then this machine's pace."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.cell import Cell
from orchestrator.planning.estimates import Estimate, Estimates
from tests.manifests.samples import a_cell

ONE, OTHER = a_cell(), a_cell(technique="ptq-fx")


def learned(path: Path, *walls: float, cell: Cell = ONE, guess_s: float = 10.0) -> Estimates:
    for wall in walls:
        Estimates(path).learn(cell, wall, guess_s)
    return Estimates(path)


def test_without_a_past_the_study_is_believed(tmp_path: Path) -> None:
    estimates = Estimates(tmp_path / "history.jsonl")
    assert estimates.of(ONE, 10) == Estimate(10, "the study")


def test_a_cells_own_past_counts_by_its_median(tmp_path: Path) -> None:
    estimates = learned(tmp_path / "cache" / "history.jsonl", 4, 100, 6)
    assert estimates.of(ONE, 10) == Estimate(6, "earlier runs of the same cell here")


def test_other_cells_are_scaled_to_this_machines_pace(tmp_path: Path) -> None:
    estimates = learned(tmp_path / "history.jsonl", 20, 30, 40)
    assert estimates.of(OTHER, 5) == Estimate(15, "the study, at this machine's pace")


@pytest.mark.parametrize(("wall_s", "seconds"), [(100_000, 100), (0.01, 0.25)])
def test_the_pace_is_bounded(tmp_path: Path, wall_s: float, seconds: float) -> None:
    estimates = learned(tmp_path / "history.jsonl", wall_s)
    assert estimates.of(OTHER, 5).seconds == seconds


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b'{"id": "abc", "wall_',
        b"\xff\xfe\x00",
        b'{"id": "\xff", "wall_s": 1, "guess_s": 1}',
        b"[" * 100_000,
        b'{"id": "abc", "wall_s": NaN, "guess_s": 1}',
        b'{"id": "abc", "wall_s": 1e999, "guess_s": 1}',
    ],
)
def test_a_garbage_line_is_passed_over(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "history.jsonl"
    learned(path, 4)
    with open(path, "ab") as file:
        file.write(garbage + b"\n")
    assert learned(path, 6).of(ONE, 10) == Estimate(5, "earlier runs of the same cell here")


def test_a_history_that_cannot_be_written_costs_only_the_memory(tmp_path: Path) -> None:
    (tmp_path / "history.jsonl").mkdir()
    estimates = learned(tmp_path / "history.jsonl", 4)
    assert estimates.of(ONE, 10) == Estimate(10, "the study")
