"""``run --budget`` without time for everything once: claim by claim, the cheapest first."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from manifests.run_folder import Run
from services.spent_time import keep_spent, spent_by_starts_s
from tests.conftest import Workshop
from tests.fakes.studies import CLAIMS, write_study
from tests.orchestrator.reading import ids, the_run

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]
OF_ONE = ["alpha train plain batch 2", "alpha infer plain batch 1"]
OF_BOTH = ["beta train plain batch 2", "beta infer plain batch 1"]
IN_NONE = ["alpha infer plain batch 2", "beta infer plain batch 2"]


@pytest.fixture
def two_claims(workshop: Workshop) -> Workshop:
    """One about a cell, one about that and another; two cells are in none. Each is to take 1 s."""
    one, both = CLAIMS.split("[[claim]]")[1:3]
    claims = f"[[claim]]{both}[[claim]]{one}"
    (workshop.folder / "studies" / "toy" / "claims.toml").write_text(claims)
    workshop.environment["FAKE_LATENCIES"] = "alpha=0.002,beta=0.004"
    return workshop


def executed(workshop: Workshop) -> list[str]:
    """In the order of execution, by what they are; further processes with their number."""
    by_id = {id_: title for title, id_ in ids(workshop).items()}
    return [by_id[id_] for id_ in workshop.executed()]


def budget_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)["budget"]
    return found


def test_the_cheapest_claim_comes_first(two_claims: Workshop) -> None:
    done = two_claims.run("--budget", "5.9s", "--json")
    told = "no time for all 6 cells once (about 6.0 s): claim by claim, the cheapest first"
    assert told in done.stderr
    assert re.search("^C2: 2 cells once, about 5.0 s until it can be looked at$", done.stderr, re.M)
    assert executed(two_claims)[:2] == OF_ONE
    assert "nothing to run" not in done.stderr


def test_what_the_budget_left_out_a_larger_one_measures(two_claims: Workshop) -> None:
    study = write_study(two_claims.folder, seconds=1.5)
    one, both = CLAIMS.split("[[claim]]")[1:3]
    (study / "claims.toml").write_text(f"[[claim]]{both}[[claim]]{one}")
    told = two_claims.run("--budget", "3s").stdout
    assert executed(two_claims) == OF_ONE
    assert re.search("^cells +2 ok, 4 not run$", told, re.M)
    assert re.search("^time +the budget allows no further look; .* of 3.0 s spent$", told, re.M)
    assert re.search("^next +repliquant run toy --tier quick .*--budget 10m$", told, re.M)

    again = two_claims.run("--budget", "3s", "--json")
    assert (budget_of(again.stdout)["ended"], executed(two_claims)) == ("budget", OF_ONE)

    two_claims.run("--budget", "1h")
    once = [title for title in executed(two_claims) if "repeat" not in title]
    assert sorted(once) == sorted([*OF_ONE, *OF_BOTH, *IN_NONE])


def test_what_a_start_took_beside_its_cells_is_spent_for_the_next_one(
    two_claims: Workshop,
) -> None:
    """Environments that it made, data that it fetched, waiting."""
    two_claims.run("--budget", "5.9s", "-k", "alpha and batch_size=1")
    there = executed(two_claims)
    kept = the_run(two_claims).folder / "spent.json"
    assert 0 < json.loads(kept.read_text())["spent_s"] < 600
    kept.write_text('{"spent_s": 3599.5}')
    assert budget_of(two_claims.run("--budget", "1h", "--json").stdout)["spent_s"] >= 3599.5
    assert executed(two_claims) == there
    planned = two_claims("plan", "toy", "--budget", "1h", "--json").stdout
    assert budget_of(planned)["spent_s"] >= 3599.5


@pytest.mark.parametrize("broken", ["", "[]", '{"spent_s": "x"}', '{"spent_s": null}'])
def test_a_file_of_what_was_spent_that_cannot_be_read_counts_as_none(
    tmp_path: Path, broken: str
) -> None:
    run = Run(tmp_path)
    (tmp_path / "spent.json").write_text(broken)
    assert spent_by_starts_s(run, []) == 0
    keep_spent(run, 12.34)
    assert spent_by_starts_s(run, []) == 12.3
    keep_spent(Run(tmp_path / "missing"), 1.0)


def test_a_plan_says_that_it_goes_claim_by_claim(two_claims: Workshop) -> None:
    told = two_claims("plan", "toy", "--budget", "5.5s").stdout
    words = "about 6.0 s to measure everything once: claim by claim instead, the cheapest first"
    assert f"budget 5.5 s: {words}" in told
    assert "claims likely to be decided: C2" in told


def test_what_no_claim_needs_waits_where_that_costs_a_look(two_claims: Workshop) -> None:
    """6 s for everything once fit into 11 s, with 6 s for the looks they don't."""
    done = two_claims("plan", "toy", "--budget", "11s").stdout
    assert "about 6.0 s to measure everything once: claim by claim instead" in done
    assert "claims likely to be decided: C1, C2" in done
    told = two_claims.run("--budget", "11s").stderr
    assert "no time for 6 cells once and a look at every claim (about 12 s)" in told
    assert executed(two_claims)[:2] == OF_ONE


def test_what_is_asked_for_again_runs_as_a_whole(two_claims: Workshop) -> None:
    two_claims.run()
    two_claims.run("--rerun", "ok", "--budget", "0.5s")
    once = [title for title in executed(two_claims) if "repeat" not in title]
    assert len(once) == 12
