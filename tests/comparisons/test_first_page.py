"""What the report says first: a sentence, where it was measured, what differs, what was flagged."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from comparisons.claims import Verdict
from comparisons.claims.setting import Deviation, every_deviation
from comparisons.claims.verdicts import HOLDS_HERE, NOT_MEASURED, UNTESTABLE
from comparisons.gpu_only import gpu_only_cells
from comparisons.report.first_page import FlagLine, brief, first_page, sentence
from comparisons.results import Evidence, gather
from manifests.manifest import Environment, Flag, Machine, Manifest
from manifests.paths import ROOT
from papers.study_types import Used
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

LAD2023 = ROOT / "studies" / "lad2023"
NO_GPU = "needs an NVIDIA GPU; none was found"
MIB = 2**20
MACHINE = Machine(
    system="Linux", architecture="x86_64", cpu="Acme One", cpus=2, instruction_sets=[],
    memory_bytes=8 * 2**30,
)  # fmt: skip
SETTING = Environment(
    machine=MACHINE, packages={"torch": "2.13.0", "tensorflow_cpu": "2.21.0"}, threads=2
)


def on(manifest_of: Any, *metrics: Any, **fields: Any) -> Manifest:
    return measured(manifest_of, *metrics, environment=SETTING, **fields)


def a_run() -> Evidence:
    """Sizes of PyTorch's models, a latency that was disturbed, and a cell for a GPU alone."""
    train = a_cell(task="train", technique="float32")
    int8 = a_cell(task="quantize", technique="ptq-eager")
    slow = a_cell(technique="float32", batch_size=1)
    gpu = a_cell(technique="float32", batch_size=5, device="gpu")
    busy = Flag(name="busy-machine", detail="others took 40 %", metrics=["latency_s"])
    manifests = [
        on(train, metric("model_size_bytes", 42.6 * MIB), started_at="2026-05-01T12:00:00+00:00"),
        on(int8, metric("model_size_bytes", 10.8 * MIB), started_at="2026-05-01T12:30:00+00:00"),
        on(slow, metric("latency_s", 0.01), flags=[busy], started_at="2026-05-01T14:10:00+02:00"),
        on(gpu, status="unsupported", reason=NO_GPU, started_at="2026-05-01T12:31:00+00:00"),
    ]
    cells = [manifest.cell for manifest in manifests]
    plan = a_plan(*cells, a_cell(technique="qat-eager", batch_size=1))
    return gather(LAD2023, plan, manifests, "a-run")


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        (
            {"holds here": 9, "does not hold here": 3, "undecided": 4},
            "9 of 16 claims hold here, 3 do not, 4 are open.",
        ),
        (
            {"holds here": 1, "does not hold here": 1, "untestable": 1},
            "1 of 3 claims holds here, 1 does not, 1 can't be tested.",
        ),
        (
            {"reproduced": 2, "not reproduced": 1, "not measured": 1},
            "2 of 4 claims are reproduced, 1 is not reproduced, 1 was not measured.",
        ),
        ({"does not hold here": 2}, "2 of 2 claims do not hold here."),
        ({"undecided": 1}, "1 of 1 claim is open."),
        ({}, ""),
    ],
)
def test_the_sentence_counts_each_verdict(counts: dict[str, int], told: str) -> None:
    assert sentence(counts, "claim") == told


@pytest.mark.parametrize(
    ("verdict", "told"),
    [
        (Verdict(HOLDS_HERE, "long", evidence="74.7 %"), "74.7 %"),
        (
            Verdict("undecided", "long", "why not", evidence="2.7", would_decide="3 more"),
            "2.7; would decide: 3 more",
        ),
        (Verdict("undecided", "long", "within the noise", evidence="2.7"), "2.7; within the noise"),
        (Verdict(NOT_MEASURED, "long", f"unsupported: {NO_GPU}"), NO_GPU),
        (Verdict(NOT_MEASURED, "long", "no such cell"), "this run has no cell for it"),
        (Verdict(UNTESTABLE, "long", "no table has it"), "no table has it"),
    ],
)
def test_a_verdict_has_short_evidence(verdict: Verdict, told: str) -> None:
    assert brief(verdict) == told


def test_the_first_page_of_a_run() -> None:
    page = first_page(a_run())
    assert page.sentence == "1 of 16 claims holds here, 14 were not measured, 1 can't be tested."
    assert page.stand_ins == ""
    assert dict(page.facts) == {
        "measured": "2026-05-01 12:00 to 12:31 UTC, 0.2 min for all cells together",
        "machine": "Acme One, 2 processors, 8.0 GiB memory, no GPU, Linux x86_64",
        "scope": "tier quick · digits · rigorous",
        "cells": "3 ok, 1 unsupported, 1 not run",
        "only on a GPU": f"1 cell: {NO_GPU}",
        "the paper's own numbers": "6 of 16 claims hold, 2 do not hold, 8 have no number",
    }
    assert page.differs == [
        Deviation("hardware", "Acme One", "not stated"),
        Deviation("data", "digits", "cifar10"),
        Deviation("recipe", "tier quick", "tier paper"),
        Deviation("versions", "pytorch 2.13.0", "not stated"),
    ]


def test_each_claim_has_its_verdict_and_no_flag_is_hidden() -> None:
    page = first_page(a_run())
    lines = {line.number: line for line in page.claims}
    assert list(lines) == [f"C{number}" for number in range(1, 17)]
    assert (lines["C1"].state, lines["C1"].evidence) == ("holds here", "74.65 %")
    assert (lines["C2"].state, lines["C2"].evidence) == (
        "not measured", "this run has no cell for it",
    )  # fmt: skip
    assert lines["C10"].flags == "busy-machine"
    meaning = "other processes or the hypervisor took processor time during measuring"
    assert page.flags == [FlagLine("busy-machine", 1, meaning)]


def test_a_package_is_found_whatever_its_dashes() -> None:
    cell = a_cell(framework="tensorflow", technique="float32")
    (found,) = [d for d in every_deviation(Used(), [on(cell)]) if d.what == "versions"]
    assert found.here == "tensorflow 2.21.0"


def test_without_a_run_the_paper_alone_is_told() -> None:
    page = first_page(gather(LAD2023))
    assert "were not measured" in page.sentence and " hold" not in page.sentence
    own = "6 of 23 claims hold, 2 do not hold, 15 have no number"
    assert page.facts == [("the paper's own numbers", own)]
    assert page.differs == [] and page.flags == []


def test_cells_that_a_gpu_alone_can_run_are_known_before_they_are_tried() -> None:
    cpu, gpu = a_cell(), a_cell(device="gpu")
    plan = a_plan(cpu, gpu)
    assert gpu_only_cells(plan, []) == {}
    skipped = [
        msgspec.structs.replace(one, skip=NO_GPU if one.cell.device == "gpu" else "")
        for one in plan.cells
    ]
    plan = msgspec.structs.replace(plan, cells=skipped)
    assert gpu_only_cells(plan, []) == {gpu.id: NO_GPU}
    assert gpu_only_cells(plan, [measured(gpu, metric("latency_s", 0.1))]) == {}
    crashed = measured(gpu, status="crashed", reason="no memory")
    assert gpu_only_cells(plan, [crashed]) == {}
