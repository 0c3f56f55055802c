"""Cells that can't run here are a line a reason in plans and runs; doctor in front is short."""

from __future__ import annotations

import io

import msgspec
from rich.console import Console

from cli.commands.doctor import show_briefly
from manifests.manifest import Manifest, Status
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from orchestrator.messages import CellEnded, RunStarted
from orchestrator.planning.obstacles import NO_GPU
from services.diagnosis import Diagnosis
from services.progress import Progress
from services.skipped_cells import listed, without_gpu
from tests.conftest import ROOT
from tests.manifests.samples import a_manifest

PLAN = Run(ROOT / "tui" / "demo" / "lad2023-quick-digits").plan()


def cells(*skips: str) -> list[PlannedCell]:
    return [msgspec.structs.replace(PLAN.cells[0], skip=skip) for skip in skips]


def test_a_plan_names_each_reason_once() -> None:
    chosen = cells("", *[NO_GPU] * 161, *["no such kernel"] * 3, "too old", "too old")
    rows, lines = listed(chosen)
    assert [one.skip for one in rows] == ["", "too old", "too old"]
    assert lines == [
        "161 cells need an NVIDIA GPU; none was found",
        "3 cells can't run here: no such kernel",
    ]


def test_one_cell_needs_a_gpu() -> None:
    assert listed(cells(NO_GPU)) == ([], ["1 cell needs an NVIDIA GPU; none was found"])
    assert without_gpu(cells("", "too old")) == ""


def test_a_run_says_so_when_it_begins() -> None:
    console = Console(file=io.StringIO(), width=100)
    with Progress(console) as progress:
        progress(RunStarted(cells("", NO_GPU, NO_GPU), 0))
    told = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert told[0].startswith("1 cell to run, about ")
    assert told[1:] == ["left out: 2 cells need an NVIDIA GPU; none was found"]


def test_cells_that_need_a_gpu_are_not_counted_on_the_way() -> None:
    console = Console(file=io.StringIO(), width=100)
    planned = cells(NO_GPU, "", NO_GPU, "")
    with Progress(console) as progress:
        progress(RunStarted(planned, 0))
        for one in planned:
            progress(CellEnded(one, ended(one)))
    told = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.partition(" ")[0] for line in told[2:]] == ["[1/2]", "[2/2]"]


def ended(planned: PlannedCell) -> Manifest:
    status: Status = "unsupported" if planned.skip else "ok"
    return a_manifest(status=status, reason=planned.skip, cell=planned.cell, id=planned.id)


def test_doctor_in_brief(capsys: object) -> None:
    fine = [Diagnosis("ok", "python", "3.11"), Diagnosis("note", "gpus", "none")]
    show_briefly(fine)
    show_briefly([*fine, Diagnosis("advice", "others", "take 63 %", "wait")])
    assert capsys.readouterr().out.splitlines() == [  # type: ignore[attr-defined]
        "doctor: nothing is wrong with this machine (2 things looked at)",
        "advice: others: take 63 % (wait)",
    ]
