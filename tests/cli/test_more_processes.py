"""Further processes of one cell: numbered after those that the run's plan has."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.codec import write_plan
from orchestrator.planning.quadruples import grown, point_of
from orchestrator.running.request import Request, prepare
from services.more_processes import more_processes


@pytest.fixture
def request_(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Request:
    monkeypatch.setenv("REPLIQUANT_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    return Request("lad2023", run_dir=tmp_path / "runs" / "one")


def test_two_processes_more_are_chosen_with_what_they_start_from(request_: Request) -> None:
    before = prepare(request_)
    cell = next(one for one in before.chosen if one.needs and not one.skip)
    more = more_processes(request_, before.run, cell)
    assert [one.cell.repeat for one in more.cells] == [1, 2]
    assert {point_of(one.cell) for one in more.cells} == {cell.id}
    after = prepare(more.request)
    assert {one.id for one in after.chosen} == {one.id for one in more.cells} | set(cell.needs)
    assert len(after.plan.cells) == len(before.plan.cells) + 2


def test_numbers_that_the_plan_has_given_are_not_given_again(request_: Request) -> None:
    before = prepare(request_)
    cell = before.chosen[-1]
    more = more_processes(request_, before.run, cell)
    before.run.folder.mkdir(parents=True)
    write_plan(before.run.plan_path, grown(before.plan, more.cells))
    again = more_processes(more.request, before.run, more.cells[0])
    assert [one.cell.repeat for one in again.cells] == [3, 4]
    # Preparing the first request once more plans nothing twice.
    ids = [one.id for one in prepare(more.request).plan.cells]
    assert len(ids) == len(set(ids)) == len(before.plan.cells) + 2
