"""``run --budget``: once through, then quadruples where a claim is open, until decided or spent."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import time
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import Workshop
from tests.fakes.studies import CLAIMS, write_study
from tests.orchestrator.reading import ids, manifests, the_run, wait_until

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]
APART = "alpha=0.002,beta=0.004"
ALIKE = "alpha=0.002,beta=0.002"
ONCE = 6
"""Cells of the study when everything is measured once."""
OF_THE_CLAIM = 4
"""Those that the claim is about, and the trainings that they start from."""

CLAIM = "[[claim]]" + CLAIMS.split("[[claim]]")[2]
"""Beta takes twice as long as alpha; batch 1."""


@pytest.fixture
def claiming(workshop: Workshop) -> Workshop:
    """A workshop whose study has one claim that needs processes of two cells."""
    return _claiming(workshop)


def _claiming(workshop: Workshop) -> Workshop:
    (workshop.folder / "studies" / "toy" / "claims.toml").write_text(CLAIM)
    workshop.environment["FAKE_LATENCIES"] = APART
    return workshop


@pytest.fixture(scope="module")
def _decided_once(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    folder = tmp_path_factory.mktemp("decided")
    write_study(folder)
    done = _claiming(Workshop(folder)).run("--budget", "10m", "--json")
    return folder, done.stdout, done.stderr


class Decided(NamedTuple):
    """A run that ended with its claim decided, and what it said."""

    workshop: Workshop
    stdout: str
    stderr: str


@pytest.fixture
def decided(claiming: Workshop, _decided_once: tuple[Path, str, str]) -> Decided:
    """Made once and copied."""
    folder, stdout, stderr = _decided_once
    shutil.copytree(folder, claiming.folder, dirs_exist_ok=True)
    return Decided(claiming, stdout, stderr)


def measured(workshop: Workshop) -> list[str]:
    """What was run beyond the first time: framework and repeat, in the order of execution."""
    cells = {m.id: m.cell for m in manifests(workshop).values()}
    again = [cells[id_] for id_ in workshop.executed()[ONCE:]]
    return [f"{cell.framework} {cell.repeat}" for cell in again]


def budget_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)["budget"]
    return found


LOOK_AT_4 = ["beta 1", "alpha 1", "beta 2", "alpha 2", "alpha 3", "beta 3"]


def test_an_open_claim_is_measured_in_quadruples_until_it_is_decided(decided: Decided) -> None:
    assert measured(decided.workshop) == LOOK_AT_4
    budget = budget_of(decided.stdout)
    assert (budget["ended"], budget["open"], budget["quadruples"]) == ("decided", [], 2)
    assert budget["seconds"] == 600
    assert "C1 open: 3 more processes a side (2 cells), about" in decided.stderr
    assert "C1 open: 2 more processes a side (2 cells), about" in decided.stderr
    verdict = json.loads(decided.workshop("claims", "toy", "--json").stdout)["claims"][0]
    assert verdict["verdict"] == "holds here"


def test_what_is_decided_stays_so_and_nothing_runs_again(decided: Decided) -> None:
    workshop = decided.workshop
    before = workshop.executed()
    again = workshop.run("--budget", "10m", "--json")
    assert json.loads(again.stdout)["executed"] == []
    plain = workshop.run()
    assert "nothing to run" in plain.stderr
    assert workshop.executed() == before


def test_the_plan_has_the_further_processes_and_tables_count_them(decided: Decided) -> None:
    workshop = decided.workshop
    workshop.run()
    run = the_run(workshop)
    assert len(run.plan().cells) == ONCE + len(LOOK_AT_4)
    assert list(run.folder.glob("plan.until-*")) == []
    rows = json.loads(workshop("table", "toy", "--format", "json").stdout)
    lines = {row["key"]["framework"]: row for table in rows for row in table["lines"]}
    assert [lines[name]["n"] for name in ("alpha", "beta")] == [4, 4]
    archive = workshop.folder / "run.crate.zip"
    workshop("bundle", str(run.folder), "-o", str(archive))
    workshop("verify", str(archive))
    with zipfile.ZipFile(archive) as packed:
        names = [name for name in packed.namelist() if name.endswith("/manifest.json")]
    assert len(names) == ONCE + len(LOOK_AT_4)


def test_without_a_budget_everything_runs_as_often_as_the_tier_says(claiming: Workshop) -> None:
    claiming.run()
    assert len(claiming.executed()) == ONCE


def test_a_claim_that_no_look_decides_stays_open_with_what_would_decide_it(
    claiming: Workshop,
) -> None:
    claiming.environment["FAKE_LATENCIES"] = ALIKE
    done = claiming.run("--budget", "10m", "--json")
    budget = budget_of(done.stdout)
    assert budget["ended"] == "exhausted"
    (still,) = budget["open"]
    assert still["claim"] == "C1"
    assert still["reason"] == "the difference is within the noise"
    assert "not within reach" in still["would_decide"]
    assert 6 <= len(measured(claiming)) <= 22


def test_a_budget_that_is_spent_begins_no_quadruple(claiming: Workshop) -> None:
    done = claiming.run("--budget", "0.5s", "--json")
    assert len(claiming.executed()) == OF_THE_CLAIM
    budget = budget_of(done.stdout)
    assert budget["ended"] == "budget"
    assert [claim["claim"] for claim in budget["open"]] == ["C1"]
    told = claiming.run("--budget", "0.5s").stdout
    assert re.search("^time +the budget allows no further look; .* of 0.5 s spent$", told, re.M)
    assert re.search("^C1 .* undecided +3 more processes, ", told, re.M)

    claiming.run("--budget", "1h")
    assert measured(claiming) == LOOK_AT_4


def test_a_budget_counts_what_a_start_waits_for(claiming: Workshop) -> None:
    """As for an environment that is made: 3 s before the first cell."""
    gate = claiming.folder / "gate"
    claiming.environment["FAKE_GATE"] = str(gate)
    process = claiming.start("--budget", "3s", "--json")
    wait_until(lambda: any(claiming.folder.glob("gate.*")), "a cell")
    time.sleep(3)
    gate.touch()
    told, _ = process.communicate(timeout=120)
    assert budget_of(told)["ended"] == "budget"
    assert budget_of(told)["spent_s"] >= 3
    assert len(claiming.executed()) == OF_THE_CLAIM


def test_a_disturbed_quadruple_is_measured_anew_as_a_whole(claiming: Workshop) -> None:
    claiming.environment["FAKE_BUSY"] = "2"
    done = claiming.run("--budget", "10m", "--json")
    anew = ["alpha 4", "beta 4", "beta 5", "alpha 5"]
    assert measured(claiming) == [*LOOK_AT_4, *anew]
    assert done.stderr.count("disturbed (busy-machine): this quadruple doesn't count") == 1
    assert budget_of(done.stdout)["ended"] == "decided"


def test_a_first_process_that_was_disturbed_is_not_gone_on_with(claiming: Workshop) -> None:
    claiming.environment["FAKE_BUSY"] = "0"
    claiming.run("--budget", "10m")
    assert measured(claiming) == [
        "beta 2", "alpha 2", "alpha 3", "beta 3", "alpha 4", "beta 4", "beta 5", "alpha 5",
    ]  # fmt: skip


def test_on_a_machine_that_stays_busy_it_ends_undecided(claiming: Workshop) -> None:
    claiming.environment["FAKE_BUSY"] = "every"
    done = claiming.run("--budget", "1h", "--json")
    budget = budget_of(done.stdout)
    assert budget["ended"] == "exhausted"
    assert "busy machine" in budget["open"][0]["reason"]
    repeats = {int(text.split()[1]) for text in measured(claiming)}
    assert max(repeats) // 2 == 6  # six were measured anew
    before = claiming.executed()
    claiming.run("--budget", "1h")
    assert claiming.executed() == before


@pytest.mark.first(1)
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_what_is_cut_off_in_the_middle_of_a_quadruple_goes_on(
    claiming: Workshop, how: signal.Signals
) -> None:
    gate = claiming.folder / "gate"
    claiming.run()
    claiming.environment["FAKE_UNTIL"] = str(gate)
    running = claiming.start("--budget", "10m")
    wait_until(lambda: len(claiming.executed()) == ONCE + 1, "the first process of a quadruple")
    os.kill(running.pid, how)
    running.communicate(timeout=60)
    if how == signal.SIGINT:
        assert running.returncode == 130
    del claiming.environment["FAKE_UNTIL"]
    done = claiming.run("--budget", "10m", "--json")
    # The one that was cut off runs again; all others once.
    assert measured(claiming) == [LOOK_AT_4[0], *LOOK_AT_4]
    assert budget_of(done.stdout)["ended"] == "decided"


def test_claims_of_cells_that_were_not_asked_for_are_left_alone(claiming: Workshop) -> None:
    claiming.run()
    done = claiming.run("-k", "alpha", "--budget", "10m", "--json")
    assert len(claiming.executed()) == ONCE
    assert budget_of(done.stdout)["open"] == []


def test_repeats_are_processes_of_every_cell_forward_and_back(workshop: Workshop) -> None:
    workshop.run("--repeats", "2")
    by_id = {id_: title for title, id_ in ids(workshop).items()}
    made = ["alpha train plain batch 2", "beta train plain batch 2"]
    infer = [f"{name} infer plain batch {size}" for name in ("alpha", "beta") for size in (1, 2)]
    back = [f"{title} repeat 1" for title in reversed(made)]
    back_again = [f"{title} repeat 1" for title in reversed(infer)]
    assert [by_id[id_] for id_ in workshop.executed()] == [*made, *back, *infer, *back_again]


def test_on_several_gpus_partners_run_one_after_the_other_on_the_same(claiming: Workshop) -> None:
    claims = (claiming.folder / "studies" / "toy" / "claims.toml").read_text()
    write_study(claiming.folder, device="gpu")
    (claiming.folder / "studies" / "toy" / "claims.toml").write_text(claims)
    claiming.environment["FAKE_GPUS"] = "0,1"
    claiming.run("--gpus", "all", "--budget", "10m")
    again = [
        "beta 2", "alpha 2", "alpha 3", "beta 3", "alpha 4", "beta 4", "beta 5", "alpha 5",
    ]  # fmt: skip
    assert measured(claiming) == again
    places = Path(f"{claiming.log}.places").read_text().splitlines()
    assert {json.loads(line)["gpu"] for line in places[ONCE:]} == {"0"}


def test_a_plan_says_what_a_budget_would_leave_undecided(claiming: Workshop) -> None:
    """Four processes of two cells, of a second each, and the two trainings that they start from."""
    claims = claiming.folder / "studies" / "toy" / "claims.toml"
    claims.write_text(CLAIMS.split("[[claim]]")[0] + CLAIM + LIKED + UNMEASURED)

    def forecast(budget: str) -> dict[str, Any]:
        return budget_of(claiming("plan", "toy", "--budget", budget, "--json").stdout)

    short = forecast("9s")
    assert (short["seconds"], short["once_s"], short["decided"]) == (9, 6, [])
    assert short["undecided"] == [
        {
            "claim": "C1",
            "reason": "4 more processes a side of 4 cells would be needed",
            "seconds_short": 1,
        },
        {"claim": "C2", "reason": "nobody was asked", "seconds_short": None},
        {
            "claim": "C3",
            "reason": "tier quick spends too little for it; needs paper",
            "seconds_short": None,
        },
    ]
    assert forecast("10s")["decided"] == ["C1"]
    told = claiming("plan", "toy", "--budget", "9s").stdout
    assert "budget 9.0 s: about 6.0 s to measure everything once" in told
    assert (
        "left undecided: C1: 4 more processes a side of 4 cells would be needed, about 1.0 s"
        in (told)
    )
    assert claiming.executed() == []


def test_a_plan_knows_that_one_batch_size_shows_no_trend(claiming: Workshop) -> None:
    test = "trend(table1.latency[framework=alpha], framework) > 0.5"
    claims = claiming.folder / "studies" / "toy" / "claims.toml"
    claims.write_text(re.sub(r'test = ".*"', f'test = "{test}"', CLAIM))
    found = budget_of(claiming("plan", "toy", "--budget", "1h", "--json").stdout)
    assert (found["decided"], [one["reason"] for one in found["undecided"]]) == (
        [], ["tier quick has too little for it: fewer than two rows"]
    )  # fmt: skip


def test_a_plan_knows_what_has_been_decided(decided: Decided) -> None:
    found = budget_of(decided.workshop("plan", "toy", "--budget", "10m", "--json").stdout)
    assert (found["once_s"], found["decided"], found["undecided"]) == (0, ["C1"], [])
    assert found["spent_s"] > 0


LIKED = "[[claim]]" + CLAIMS.split("[[claim]]")[3]
UNMEASURED = CLAIM.replace("beta-slower", "later") + 'tiers = ["paper"]\n'
