"""One screen of verdicts: at most 24 lines of 80 columns, whatever a run has come to."""

from __future__ import annotations

import functools
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from comparisons.claims import Judged, Verdict
from comparisons.claims.verdicts import STATES
from comparisons.claims.wanted import Wanted
from comparisons.render.verdict_rows import brief, spans, tally, verdict_rows
from comparisons.results import Evidence
from manifests.probe_record import Probe
from manifests.run_folder import Run
from orchestrator.engines.slurm import arrays
from papers.claims import Claim
from services.results import Results, judge_claims, judge_published, read_results
from services.until_decided import Ending
from services.verdict_screen import Shown, verdict_screen
from tests.conftest import ROOT, Workshop

RECORDED = Run(ROOT / "tests" / "recorded" / "lad2023-quick-digits")
PUBLISHED = Verdict("holds", "as printed")


def a_claim(number: int, state: str, says: str = "", **changes: object) -> Judged:
    """``changes`` are fields of the verdict on what was measured, or ``stand_in``."""
    stand_in = changes.pop("stand_in", None)
    claim = Claim(id=f"c{number}", place="Table I", text=says or f"Claim {number}.", table="t")
    verdict = Verdict(state, "", **changes)  # type: ignore[arg-type]
    return Judged(f"C{number}", claim, PUBLISHED, verdict, stand_in, [])  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def demo() -> Results:
    return read_results(RECORDED)


@functools.cache
def judged() -> Evidence:
    return judge_claims(read_results(RECORDED))


def lines(results: Results, claims: list[Judged], width: int = 80) -> list[str]:
    evidence = judged()._replace(claims=claims, manifests=results.manifests)
    return [line.plain for line in verdict_screen(Shown(evidence, results), width)]


@pytest.fixture(autouse=True)
def _in_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("REPLIQUANT_RUNS", str(tmp_path))
    monkeypatch.delenv("COLUMNS", raising=False)


def test_a_recorded_run_on_one_screen(demo: Results) -> None:
    assert (
        lines(demo, judged().claims)
        == """\
lad2023 · Intel Xeon Processor, 2 processors · tier quick, digits

C1  PyTorch's model shrinks by 75 %        holds here   74.7 %
    10 claims: C2 to C6, C8, C9, C11…      not measured not run
C7  PTQ loses a little accuracy            undecided    interval spans the bound
C10 Quantized models answer faster         undecided    busy: 5 more, 2 min
C13 Profile: 33 ms float32, 13 ms int8     undecided    busy: 5 more, 3 min
C14 GPU does 1.5 of the baseline's 19 ms   not measured needs an NVIDIA GPU
C15 CPU operations take 70 % after tuning  untestable   the text does not say…

verdicts 1 of 16 claims holds here, 3 undecided, 11 not measured, 1 untestable
flagged  busy-machine 5, few-samples 5, high-variation 4
cells    8 ok, 1 needs an NVIDIA GPU, 24 not run
time     6 min of cells, the last at 2026-11-22 15:11 UTC
run      tests/recorded/lad2023-quick-digits
next     repliquant run lad2023 --tier quick --run
         tests/recorded/lad2023-quick-digits
""".splitlines()
    )


def test_more_claims_than_lines(demo: Results) -> None:
    states = ["holds here"] * 12 + ["does not hold here", "undecided"] * 3 + ["untestable"] * 5
    claims = [
        a_claim(n, state, evidence="1.25 ×, 4 processes", reason="within noise")
        for n, state in enumerate(states, 1)
    ]
    shown = lines(demo, claims)
    assert (
        shown[1:17]
        == """\
C13 Claim 13  does not hold here 1.25 ×, n = 4
C15 Claim 15  does not hold here 1.25 ×, n = 4
C17 Claim 17  does not hold here 1.25 ×, n = 4
C14 Claim 14  undecided          within noise
C16 Claim 16  undecided          within noise
C18 Claim 18  undecided          within noise
C1  Claim 1   holds here         1.25 ×, n = 4
C2  Claim 2   holds here         1.25 ×, n = 4
C3  Claim 3   holds here         1.25 ×, n = 4
C4  Claim 4   holds here         1.25 ×, n = 4
C5  Claim 5   holds here         1.25 ×, n = 4
C6  Claim 6   holds here         1.25 ×, n = 4
C7  Claim 7   holds here         1.25 ×, n = 4
C8  Claim 8   holds here         1.25 ×, n = 4
    9 more: 4 hold here, 5 untestable
verdicts 12 of 23 claims hold here, 3 do not, 3 undecided, 5 untestable
""".splitlines()
    )
    assert len(shown) == 23


def test_a_stand_in_has_a_verdict_of_its_own_name(demo: Results) -> None:
    def stands_in(state: str) -> Judged:
        verdict = Verdict(state, "", evidence="3 of 3 hold")
        return a_claim(1, "not measured", reason="not run", stand_in=verdict)

    holds, fails, unmeasured = map(stands_in, ("holds here", "does not hold here", "not measured"))
    words = [row.verdict for row in verdict_rows([holds, fails, unmeasured], 9)]
    assert words == ["stand-in holds", "stand-in does not", "not measured"]
    assert tally([holds, fails, unmeasured]) == [
        "3 of 3 claims not measured",
        "stand-ins, which decide no claim: 1 hold, 1 do not hold",
    ]


def test_nothing_measured_lists_the_claims(demo: Results) -> None:
    claims = [a_claim(n, "not measured", reason="not run") for n in range(1, 5)]
    bare = demo._replace(manifests=[])
    shown = lines(bare, claims)
    assert shown[0] == "lad2023 · nothing measured · tier quick, digits"
    assert shown[2] == "C1 Claim 1  not measured not run"
    assert shown[7:] == [
        "verdicts 4 of 4 claims not measured",
        "flagged  nothing",
        "cells    33 not run",
        "time     nothing measured",
        "run      tests/recorded/lad2023-quick-digits",
        "next     repliquant run lad2023 --tier quick --run",
        "         tests/recorded/lad2023-quick-digits",
    ]


def test_a_gpu_that_is_not_there_is_one_line(demo: Results) -> None:
    why = "unsupported: needs an NVIDIA GPU; none was found"
    claims = [a_claim(n, "not measured", reason=why) for n in range(1, 41)]
    shown = [line for line in lines(demo, claims) if "not measured" in line]
    assert shown[0] == " 40 claims: C1 to C40  not measured needs an NVIDIA GPU"
    assert shown[1:] == ["verdicts 40 of 40 claims not measured"]


def test_the_paper_alone() -> None:
    shown = [line.plain for line in verdict_screen(Shown(judge_published("lad2023")))]
    assert shown[0] == "lad2023 · the paper's own numbers · no run"
    assert "C5  TensorFlow's QAT overhead is 3…     does not hold 2.285 (2.284 to 2.287)" in shown
    assert shown[-1] == "next     repliquant run lad2023"


def test_long_words_and_long_texts_are_cut(demo: Results) -> None:
    claims = [
        a_claim(1, "does not hold here", "x" * 200, evidence="y" * 200),
        a_claim(2, "holds here", "one two three " * 30, evidence="1.5 and " * 30),
        a_claim(3, "undecided", "数" * 90, reason="量" * 90),
    ]
    shown = lines(demo, claims)
    assert [cell_len(line) <= 80 for line in shown] == [True] * len(shown)
    assert shown[2] == f"C1 {'x' * 29}…  does not hold here {'y' * 25}…"
    assert shown[3].endswith("1.5 and 1.5 and 1.5 and…")


def test_a_path_is_folded_rather_than_cut(demo: Results, tmp_path: Path) -> None:
    folder = tmp_path / ("long-" * 20)
    claims = [a_claim(1, "holds here", evidence="1")]
    shown = lines(demo._replace(run=Run(folder)), claims)
    start = next(n for n, line in enumerate(shown) if line.startswith("run "))
    assert "".join(line[9:] for line in shown[start : start + 3]).startswith(str(folder))


def test_the_next_step_follows_from_what_is_open_or_fails(demo: Results) -> None:
    def step(*claims: Judged) -> str:
        plan = demo.plan
        whole = demo._replace(plan=type(plan)(**{
            **{name: getattr(plan, name) for name in plan.__struct_fields__},
            "cells": plan.cells[:1],
        }))  # fmt: skip
        return lines(whole, list(claims), 200)[-1].removeprefix("next     ")

    open_ = Wanted((("a",), ("b",)), 4, 4, 3, 70.0, 4)
    far = open_._replace(needed=10**6)
    folder = "tests/recorded/lad2023-quick-digits"
    more = f"repliquant run lad2023 --tier quick --run {folder} --budget 13m"
    fails = a_claim(2, "does not hold here")
    assert step(a_claim(1, "undecided", wanted=(open_,)), fails) == more
    look = f"repliquant claims lad2023 {folder} --claim C2"
    assert step(a_claim(1, "undecided", wanted=(far,)), fails) == look
    assert step(a_claim(1, "holds here")) == f"repliquant report {folder}"


def test_what_was_submitted_to_slurm_goes_on_there(demo: Results, tmp_path: Path) -> None:
    (tmp_path / arrays.FOLDER).mkdir()
    waiting = lines(demo._replace(run=Run(tmp_path), manifests=[]), [], 200)[-1]
    assert waiting.startswith("next     repliquant run lad2023 --tier quick --engine slurm --run ")
    assert "--wait" not in waiting


def of_an_experiment(demo: Results, **changes: object) -> list[str]:
    """The screen where the demo's cells were an experiment's."""
    replace = msgspec.structs.replace
    cells = [replace(one, experiment="batch-norm") for one in demo.plan.cells]
    cells = [replace(one, cell=replace(one.cell, **changes)) for one in cells]
    claims = [a_claim(n, "not measured", reason="not run") for n in range(1, 6)]
    done = {one.id for one in demo.manifests}
    plan = replace(demo.plan, cells=[one for one in cells if one.id in done])
    return lines(demo._replace(plan=plan), claims, 200)


def test_what_an_experiment_came_to_is_named_not_each_claim_that_it_is_not_about(
    demo: Results,
) -> None:
    shown = of_an_experiment(demo)
    assert sum("not measured not run" in line for line in shown) == 1
    folder = "tests/recorded/lad2023-quick-digits"
    assert shown[-1] == f"next     repliquant table lad2023 {folder} --table batch-norm"


def test_probes_are_counted_by_their_outcomes(demo: Results) -> None:
    outcome = Probe(outcome="int8")
    probed = [msgspec.structs.replace(one, probe=outcome) for one in demo.manifests]
    shown = of_an_experiment(demo._replace(manifests=probed), task="probe")
    assert f"probes   {len(probed)} int8" in shown
    assert shown[-1] == "next     repliquant matrix tests/recorded/lad2023-quick-digits"


def test_a_budget_says_how_it_ended(demo: Results) -> None:
    ending = Ending("decided", 540.0, 275.0, 3, [])
    shown = verdict_screen(Shown(judged(), demo, ending))
    (line,) = (one.plain for one in shown if one.plain.startswith("time"))
    assert line == ("time     all claims that can be tested here are decided; 5 min of 9 min spent")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict("holds here", "", evidence="12 of 12 hold, 4 to 6 processes"),
         "12 of 12 hold, n = 4 to 6"),
        (Verdict("holds here", "", evidence="74.7 %, 1 process"), "74.7 %, n = 1"),
        (Verdict("undecided", "", would_decide="3 more processes each, about 70 s"),
         "3 more processes, 70 s"),
        (Verdict("undecided", "", would_decide="about 400 processes a side: not within reach"),
         "not within reach"),
        (Verdict("undecided", "", "busy machine: rests on flagged measurements: busy-machine",
                 would_decide="5 more processes each, about 3 min"), "busy: 5 more, 3 min"),
        (Verdict("undecided", "", "an interval reaches both sides of the bound"),
         "interval spans the bound"),
        (Verdict("not measured", "", "unsupported: needs an NVIDIA GPU; none was found"),
         "needs an NVIDIA GPU"),
        (Verdict("untestable", "", "no table has it"), "no table has it"),
    ],
)  # fmt: skip
def test_six_words_of_evidence(verdict: Verdict, words: str) -> None:
    assert brief(verdict) == words


def test_numbers_in_spans() -> None:
    assert spans(["C1", "C2", "C4", "C5", "C6", "C9"]) == "C1, C2, C4 to C6, C9"


_TEXTS = ["", "x" * 200, "one two " * 20, "数" * 60, "\x1b[31m\n\u202e", "1.25 ×, 4 processes"]
_VERDICTS = [
    Verdict(state, "", reason, evidence=text)
    for state in STATES for text in _TEXTS for reason in ("not run", "no such cell", text)
]  # fmt: skip
_PARTS = st.lists(
    st.tuples(
        st.sampled_from(_VERDICTS), st.sampled_from(_TEXTS), st.sampled_from([None, *_VERDICTS])
    ),
    max_size=60,
)


def as_claims(parts: list[tuple[Verdict, str, Verdict | None]]) -> list[Judged]:
    return [
        a_claim(n, "undecided", says, stand_in=other)._replace(measured=verdict)
        for n, (verdict, says, other) in enumerate(parts, 1)
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(parts=_PARTS, width=st.integers(1, 200))
def test_never_more_than_24_lines_nor_wider_than_the_terminal(
    demo: Results, parts: list[tuple[Verdict, str, Verdict | None]], width: int
) -> None:
    shown = lines(demo, as_claims(parts), width)
    assert len(shown) <= 24
    assert max(map(cell_len, shown)) <= width


@given(parts=_PARTS)
def test_every_claim_is_shown_or_counted(parts: list[tuple[Verdict, str, Verdict | None]]) -> None:
    rows = verdict_rows(as_claims(parts), 16)
    assert len(rows) <= 16
    counted = [row for row in rows if not row.number]
    named = sum(int(row.says.partition(" ")[0]) for row in counted)
    assert len(rows) - len(counted) + named == len(parts)


def test_a_pipe_has_80_columns_and_columns_says_otherwise(workshop: Workshop) -> None:
    workshop.environment["REPLIQUANT_STUDIES"] = str(ROOT / "studies")
    workshop.environment.pop("COLUMNS", None)
    told = workshop("claims", "shafique2023", "--published-only").stdout.splitlines()
    assert len(told) <= 24 and max(map(len, told)) in range(70, 81)
    workshop.environment["COLUMNS"] = "50"
    narrow = workshop("claims", "shafique2023", "--published-only").stdout.splitlines()
    assert max(map(len, narrow)) <= 50
