"""A second start does what is left, and says why whenever something is run again."""

from __future__ import annotations

import csv
import json

import pytest

from tests.conftest import Workshop
from tests.fakes.studies import write_study
from tests.orchestrator.reading import (
    TITLES,
    attempts_aside,
    earlier,
    ids,
    manifests,
    statuses,
    the_run,
)

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]


def test_the_first_start_runs_every_cell_in_the_order_of_the_plan(workshop: Workshop) -> None:
    first = workshop.run("--json")
    assert "6 cells to run" in first.stderr
    by_title = ids(workshop)
    assert list(by_title) == TITLES
    assert workshop.executed() == list(by_title.values())
    told = json.loads(first.stdout)
    assert [item["status"] for item in told["executed"]] == ["ok"] * 6
    assert [item["id"] for item in told["executed"]] == list(by_title.values())
    assert told["counts"] == {"ok": 6}


def test_a_finished_run_started_again_executes_nothing(finished: Workshop) -> None:
    again = finished.run("--json")
    assert "6 cells done already; nothing to run" in again.stderr
    assert json.loads(again.stdout)["executed"] == []
    assert len(finished.executed()) == 6
    assert attempts_aside(finished) == []


def test_a_selection_brings_its_ancestors_and_the_full_run_goes_on(workshop: Workshop) -> None:
    workshop.run("-k", "alpha and infer and batch_size=1")
    by_title = ids(workshop)
    assert workshop.executed() == [by_title[TITLES[0]], by_title[TITLES[2]]]
    assert statuses(workshop) == ["ok", "-", "ok", "-", "-", "-"]

    rest = workshop.run()
    assert "4 cells to run" in rest.stderr
    assert "2 done already" in rest.stderr
    assert sorted(workshop.executed()) == sorted(by_title.values())
    assert statuses(workshop) == ["ok"] * 6


def test_rerun_of_a_cell_runs_it_and_its_children_and_keeps_what_was(finished: Workshop) -> None:
    by_title = ids(finished)
    alpha = [by_title[title] for title in TITLES if title.startswith("alpha")]

    told = finished.run("--rerun", by_title[TITLES[0]])
    assert finished.executed()[6:] == alpha
    assert "again: alpha train plain batch 2: asked for with --rerun (it was ok)" in told.stderr
    reason = f"the cell that it starts from ({alpha[0]}) is run again"
    assert f"again: alpha infer plain batch 1: {reason}" in told.stderr

    assert sorted(path.name for path in attempts_aside(finished)) == sorted(
        f"{cell}.attempt-1" for cell in alpha
    )
    assert earlier(finished, TITLES[0]).status == "ok"
    context = manifests(finished)[TITLES[2]].context
    assert context is not None
    assert (context.attempt, context.why_again) == (2, reason)


def test_rerun_of_a_status_runs_those_cells_only(workshop: Workshop) -> None:
    write_study(workshop.folder, behave="crash")
    only = ("-k", "alpha and batch_size=1")
    workshop.run(*only, status=1)
    by_title = ids(workshop)
    assert workshop.executed() == [by_title[TITLES[0]], by_title[TITLES[2]]]
    workshop.run(*only, "--rerun", "crashed", status=1)
    workshop.run(*only, "--rerun", "crashed", status=1)
    assert workshop.executed()[2:] == [by_title[TITLES[2]]] * 2
    context = earlier(workshop, TITLES[2], 2).context
    assert context is not None
    assert context.why_again == "asked for with --rerun (it was crashed)"


def test_rerun_of_something_else_is_refused_before_anything_runs(workshop: Workshop) -> None:
    told = workshop.run("--rerun", "crashd", status=2).stderr
    assert "--rerun 'crashd' is neither a status (ok, oom, unsupported" in told
    assert "repliquant plan" in told
    assert workshop.executed() == []


def test_a_cell_cut_off_without_a_manifest_runs_again_with_the_reason(finished: Workshop) -> None:
    cell = ids(finished)[TITLES[5]]
    the_run(finished).manifest_path(cell).unlink()
    told = finished.run()
    assert "again: beta infer plain batch 2: it was cut off before it left a manifest" in (
        told.stderr
    )
    assert finished.executed()[6:] == [cell]


def test_a_manifest_that_cannot_be_used_is_kept_aside_and_its_cell_runs_again(
    finished: Workshop,
) -> None:
    path = the_run(finished).manifest_path(ids(finished)[TITLES[5]])
    path.write_bytes(b'{"schema": "repl')
    told = finished.run()
    assert "again: beta infer plain batch 2: its manifest can't be used" in told.stderr
    assert [p.read_bytes() for p in the_run(finished).cells.glob("*.attempt-1/manifest.json")] == [
        b'{"schema": "repl'
    ]
    assert statuses(finished) == ["ok"] * 6


def test_tables_are_written_beside_the_manifests(finished: Workshop) -> None:
    folder = the_run(finished).folder
    assert "| alpha | latency | 4 ms | 2.000 ms | 0.500 | 1 |" in (folder / "tables.md").read_text()
    first = next(csv.DictReader((folder / "tables.csv").read_text().splitlines()))
    assert first["framework"] == "alpha"
    assert [first[name] for name in ("run", "table", "place")] == [
        "toy-quick-digits", "table1", "Table I",
    ]  # fmt: skip
    assert json.loads((folder / "tables.json").read_text())[0]["id"] == "table1"


def test_a_manifest_of_another_cell_does_not_count(finished: Workshop) -> None:
    run, by_title = the_run(finished), ids(finished)
    stray = run.manifest_path(by_title[TITLES[5]])
    stray.write_bytes(run.manifest_path(by_title[TITLES[4]]).read_bytes())
    told = finished.run()
    assert "again: beta infer plain batch 2: its manifest can't be used: " in told.stderr
    assert f"belongs to cell {by_title[TITLES[4]]}" in told.stderr.replace("\n", " ")
    assert statuses(finished) == ["ok"] * 6


def test_cells_made_from_weights_that_were_made_again_are_run_again(finished: Workshop) -> None:
    by_title = ids(finished)
    finished.run("-k", "alpha and train", "--rerun", by_title[TITLES[0]])
    told = finished.run()
    reason = f"the cell that it starts from ({by_title[TITLES[0]]}) has been run again since"
    assert f"again: alpha infer plain batch 1: {reason}" in told.stderr.replace("\n", " ")
    assert len(finished.executed()) == 6 + 1 + 2


def test_another_number_of_threads_is_refused(finished: Workshop) -> None:
    told = finished.run("--threads", "77", status=2)
    assert "threads" in told.stderr and "this one has 77" in told.stderr


def test_a_file_is_no_folder_for_a_run(workshop: Workshop) -> None:
    (workshop.folder / "file").write_text("")
    for given in ("file", ""):
        told = workshop.run("--run", given, status=2)
        assert "is not a run folder" in told.stderr


def test_the_plan_of_a_newer_kit_is_refused(finished: Workshop) -> None:
    path = the_run(finished).plan_path
    path.write_text(path.read_text().replace("repliquant/plan/1", "repliquant/plan/9"))
    told = finished.run(status=2)
    assert "repliquant/plan/9" in told.stderr
