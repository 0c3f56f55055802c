"""Claims that are open: why, what would decide them, and what a loop is asked for."""

from __future__ import annotations

import math
import random

import msgspec
import pytest

from comparisons.claims import Judged, judge, load_claims
from comparisons.claims.open_work import open_work
from comparisons.claims.setting import Deviation, deviations
from comparisons.comparison import compare_tables
from manifests.manifest import Environment, Flag, Machine, Manifest
from papers.published import load_published
from papers.study_types import Used
from tests.comparisons.lad2023 import STUDIES, latencies, one
from tests.comparisons.samples import a_plan, measured, metric
from tests.manifests.samples import a_cell

CLAIM = "interpreter-overhead"
BUSY = Flag(name="busy-machine", detail="others took 75% of the processor time")
PROCESSES = 2 * 2
"""Of a repeat: two techniques at two batch sizes."""


def noisy(ratio: float, processes: int, spread: float) -> list[Manifest]:
    """The interpreter that many times slower, each process off by itself."""
    source = random.Random(3)
    return [
        measured(
            a_cell(framework="tensorflow", technique=technique, batch_size=batch, repeat=repeat),
            metric("latency_s", value * math.exp(source.gauss(0, spread)), items=batch),
            wall_s=10.0,
        )
        for repeat in range(processes)
        for batch in (1, 128)
        for technique, value in (("tflite-float32", ratio), ("signature", 1.0))
    ]


def test_one_process_a_side_says_how_many_more_are_wanted_and_how_long_they_take() -> None:
    found = one(noisy(2.0, 1, 0.02), CLAIM).measured
    assert found.state == "undecided"
    assert found.reason == "1 process a side; the first look is at 4"
    assert found.would_decide == "3 more processes each, about 2 min"  # 4 cells, 3 of 10 s
    assert found.evidence == "0 of 2 hold, 1 process"


def test_what_is_within_the_noise_names_the_number_that_its_scatter_asks_for() -> None:
    found = one(noisy(1.02, 4, 0.02), CLAIM).measured
    assert (found.state, found.reason) == ("undecided", "the difference is within the noise")
    assert found.wanted[0].look == 6
    needed = found.wanted[-1].needed
    assert needed is not None and needed >= 6


def test_what_takes_a_hundred_processes_is_told_as_out_of_reach() -> None:
    found = one(noisy(1.005, 12, 0.05), CLAIM)
    assert found.measured.would_decide.startswith("about ")
    assert found.measured.would_decide.endswith(" processes a side: not within reach")
    (work,) = open_work([found])
    assert not work.within_reach


def test_a_decided_claim_has_its_evidence_in_six_words_and_asks_for_nothing() -> None:
    found = one(latencies(2.0, 6), CLAIM)
    assert found.measured.state == "holds here"
    assert found.measured.evidence == "2 of 2 hold, 4 processes"
    assert (found.measured.reason, found.measured.would_decide) == ("", "")
    assert open_work([found]) == []


def test_a_comparison_that_is_decided_asks_for_nothing_while_others_are_open() -> None:
    """At batch 1 the interpreter is twice as slow, at batch 128 as fast."""
    given = [
        msgspec.structs.replace(m, metrics=[metric("latency_s", 1.0 + 0.01 * (n % 3), items=128)])
        if m.cell.batch_size == 128
        else m
        for n, m in enumerate(latencies(2.0, 4))
    ]
    found = one(given, CLAIM)
    assert found.measured.state == "undecided"
    (claim,) = open_work([found])
    (work,) = claim.work
    cells = {m.id: m.cell for m in given}
    assert {cells[cell].batch_size for cell in work.cells} == {128}
    assert {cells[cell].technique for cell in work.cells} == {"tflite-float32", "signature"}
    assert (work.look, work.repeats, work.more) == (6, 6, 2)


def test_a_loop_is_asked_for_whole_quadruples_in_the_place_of_disturbed_ones() -> None:
    given = noisy(2.0, 4, 0.02)
    flagged = [msgspec.structs.replace(m, flags=[BUSY] * (n == 0)) for n, m in enumerate(given)]
    (claim,) = open_work([one(flagged, CLAIM)])
    assert (claim.number, claim.decides, claim.within_reach) == ("C12", "claim", True)
    (work,) = claim.work  # the rows at the other batch size are decided
    assert (work.look, work.repeats, work.more) == (4, 6, 2)
    assert work.seconds == claim.seconds == 2 * 2 * 10.0


def test_after_more_disturbed_quadruples_than_may_be_repeated_nothing_is_asked_for() -> None:
    flagged = [msgspec.structs.replace(m, flags=[BUSY]) for m in noisy(2.0, 14, 0.02)]
    found = one(flagged, CLAIM)
    assert found.measured.reason.startswith("busy machine: rests on flagged measurements: ")
    assert found.measured.would_decide == ""
    assert open_work([found]) == []


def test_the_disturbed_decide_against_a_verdict_and_never_for_one() -> None:
    """Two quadruples say that the interpreter is slower, four disturbed ones the opposite."""
    given = noisy(1.2, 4, 0.001) + [
        msgspec.structs.replace(m, flags=[BUSY]) for m in noisy(0.2, 12, 0.001) if m.cell.repeat > 3
    ]
    found = one(given, CLAIM).measured
    assert found.state == "undecided"
    assert found.reason == "all measurements together, the disturbed ones too, point the other way"


def here(tier: str, dataset: str, cpu: str, torch: str) -> list[Manifest]:
    machine = Machine(
        system="Linux", architecture="x86_64", cpu=cpu, cpus=2, instruction_sets=[],
        memory_bytes=16,
    )  # fmt: skip
    environment = Environment(machine=machine, packages={"torch": torch})
    cell = a_cell(tier=tier, dataset=dataset)
    return [measured(cell, environment=environment)]


USED = Used(hardware=["EPYC"], datasets=["cifar10"], versions={"torch": "2.1"})
CLAIMS = {claim.id: claim for claim in load_claims(STUDIES / "lad2023").claim}


def test_what_differs_from_the_paper_is_named() -> None:
    claim = CLAIMS["int8-faster"]
    assert deviations(claim, USED, here("paper", "cifar10", "AMD EPYC 7B13", "2.1.2")) == []
    assert deviations(claim, USED, here("quick", "digits", "Intel Xeon", "2.13.0")) == [
        Deviation("hardware", "Intel Xeon", "EPYC"),
        Deviation("data", "digits", "cifar10"),
        Deviation("recipe", "tier quick", "tier paper"),
        Deviation("versions", "torch 2.13.0", "torch 2.1"),
    ]


def test_where_the_paper_does_not_say_nothing_is_known_to_be_the_same() -> None:
    found = deviations(CLAIMS["int8-faster"], Used(datasets=["cifar10"]),
                       here("paper", "cifar10", "AMD EPYC", "2.1"))  # fmt: skip
    assert [str(one) for one in found] == [
        "hardware: AMD EPYC (paper: not stated)",
        "versions: pytorch 2.1 (paper: not stated)",
    ]


def test_a_claim_is_asked_only_for_what_it_depends_on() -> None:
    claim = msgspec.structs.replace(CLAIMS["int8-faster"], depends=["data"])
    found = deviations(claim, USED, here("quick", "digits", "Intel Xeon", "2.13.0"))
    assert [one.what for one in found] == ["data"]


@pytest.mark.parametrize(("ratio", "state"), [(2.0, "reproduced"), (0.5, "not reproduced")])
def test_where_nothing_differs_a_claim_is_reproduced_or_not(ratio: float, state: str) -> None:
    found = judged_with(latencies(ratio, 4), depends_on_nothing=True)
    assert found.measured.state == state
    assert found.measured.differs == ()


def judged_with(manifests: list[Manifest], depends_on_nothing: bool) -> Judged:
    folder = STUDIES / "lad2023"
    tables, file = load_published(folder), load_claims(folder)
    plan = a_plan(*(manifest.cell for manifest in manifests))
    comparisons = compare_tables(tables, plan, manifests, "a-run")
    if depends_on_nothing:
        claims = [msgspec.structs.replace(claim, depends=[]) for claim in file.claim]
        file = msgspec.structs.replace(file, claim=claims)
    (found,) = judge(file, tables, comparisons, "quick", CLAIM, Used(), manifests)
    return found
