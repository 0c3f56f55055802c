"""What the messages of a run add up to."""

from __future__ import annotations

import pytest

from manifests import event
from manifests.plan import PlannedCell
from orchestrator.messages import CellEnded, CellEvent, CellStarted, LogLine, RunStarted
from orchestrator.planning.quadruples import repeated
from services.run_state import KEPT_READINGS, RunState
from tests.manifests.samples import a_manifest, planned
from tui.run_queue import Inbox


@pytest.fixture
def two() -> list[PlannedCell]:
    return [planned(1), planned(2)]


def ended(item: PlannedCell, status: str = "ok", reason: str = "") -> CellEnded:
    return CellEnded(item, a_manifest(cell=item.cell, status=status, reason=reason))


def test_a_cell_from_its_beginning_to_its_end(two: list[PlannedCell]) -> None:
    state = RunState()
    state.take(RunStarted(two, 0), 100.0)
    state.take(CellStarted(two[0], ""), 101.0)
    state.take(CellEvent(two[0], event.Phase(time_s=0.1, name="train")), 101.1)
    state.take(CellEvent(two[0], event.Step(time_s=1, step=5, of=20, loss=2.5)), 102.0)
    shown = state.shown
    assert shown is not None
    assert (shown.phase, shown.share, list(shown.losses)) == ("train", 0.25, [2.5])
    assert state.share(106.0) == 0.25
    assert state.remaining_s(106.0) == 15.0
    state.take(ended(two[0]), 121.0)
    assert (shown.state, state.ended, state.failed) == ("ok", 1, 0)
    # 10 s were estimated and 20 s were needed: what is open will take twice as long, too.
    assert state.remaining_s(121.0) == 20.0


def test_a_phase_starts_its_steps_anew(two: list[PlannedCell]) -> None:
    state = RunState()
    state.take(RunStarted(two, 0), 0.0)
    state.take(CellStarted(two[0], ""), 0.0)
    state.take(CellEvent(two[0], event.Step(time_s=1, step=5, of=20)), 1.0)
    state.take(CellEvent(two[0], event.Phase(time_s=2, name="measure")), 2.0)
    assert state.running[two[0].id].share is None


def test_two_cells_at_once_are_both_running(two: list[PlannedCell]) -> None:
    state = RunState()
    state.take(RunStarted(two, 0), 0.0)
    for item in two:
        state.take(CellStarted(item, ""), 0.0)
    assert list(state.running) == [item.id for item in two]
    state.take(ended(two[0]), 1.0)
    assert state.shown is state.cells[two[1].id]


def test_failures_are_counted_and_what_the_machine_cannot_is_none(two: list[PlannedCell]) -> None:
    state = RunState()
    state.take(RunStarted(two, 0), 0.0)
    state.take(ended(two[0], "unsupported", "no GPU"), 0.0)
    state.take(ended(two[1], "crashed", "boom"), 0.0)
    assert (state.ended, state.failed) == (2, 1)
    assert state.notes[-1].endswith("crashed (boom)")


def test_curves_and_notes_are_bounded(two: list[PlannedCell]) -> None:
    state = RunState()
    state.take(RunStarted(two, 0), 0.0)
    state.take(CellStarted(two[0], ""), 0.0)
    for step in range(5000):
        message = CellEvent(two[0], event.Step(time_s=step, step=step, loss=1.0, items_per_s=2.0))
        state.take(message, step)
        state.take(LogLine(f"note {step}"), step)
    cell = state.running[two[0].id]
    assert len(cell.losses) == len(cell.rates) == KEPT_READINGS
    assert len(state.notes) <= 500


def test_steps_that_pile_up_collapse_and_nothing_else_does(two: list[PlannedCell]) -> None:
    inbox = Inbox()
    inbox.put(CellStarted(two[0], ""))
    for step in range(1000):
        inbox.put(CellEvent(two[0], event.Step(time_s=step, step=step)))
    inbox.put(CellEvent(two[0], event.Phase(time_s=9, name="measure")))
    inbox.put(ended(two[0]))
    kinds = [type(message).__name__ for message, _ in inbox.drain()]
    assert kinds == ["CellStarted", "CellEvent", "CellEvent", "CellEnded"]
    assert inbox.collapsed == 999
    assert inbox.drain() == []


def test_what_is_measured_again_comes_on_top_with_its_aim(two: list[PlannedCell]) -> None:
    state = RunState()
    state.take(RunStarted(two, 0), 100.0)
    for item in two:
        state.take(CellStarted(item, ""), 100.0)
        state.take(ended(item), 110.0)
    assert (state.done, state.total, state.aim) == (2, 2, "")
    again = [repeated(item, 1) for item in two]
    state.take(LogLine("C1 open: 1 more process a side", "aim"), 111.0)
    state.take(RunStarted(again, 0), 112.0)
    assert (state.done, state.total) == (2, 4)
    assert state.aim == "C1 open: 1 more process a side"
    assert list(state.notes)[-1] == state.aim
    assert state.elapsed_s(120.0) == 20.0
    assert state.share(112.0) == 0.5
