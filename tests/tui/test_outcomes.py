"""What the screen says of a run that has ended, whatever way: right to the word."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from manifests.errors import MachineError
from manifests.manifest import Status
from manifests.plan import PlannedCell
from orchestrator.messages import CellStarted, Listener, LogLine, RunStarted
from orchestrator.running.control import RunControl
from tests.tui.conftest import Scene, drive, shown
from tests.tui.scenes import begin, end, footer, started, until, verdicts_read, wait_for
from tui.app import Repliquant
from tui.screens.dialogs import Question


def test_after_a_cancel(app: Repliquant, play: Callable[[Scene], None], tmp_path: Path) -> None:
    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        begin(todo, tell)
        wait_for(control)
        end(todo[0], tell, "cancelled", "cancelled from the screen")
        return ["cancelled"]

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "step 3 of 9" in shown(app))
        await until(pilot, lambda: "Pause" in footer(app) and "Cancel" in footer(app))
        await pilot.press("X", "y")
        await until(pilot, lambda: not app.live.queue.active)
        await until(pilot, lambda: ", cancelled" in shown(app))
        text = shown(app)
        assert " 33%" in text and "100%" not in text
        assert "0 of 4 cells" in text and ", cancelled" in text and "failed" not in text
        await until(pilot, lambda: "Search" in footer(app))
        await until(pilot, lambda: "Pause" not in footer(app) and "Cancel" not in footer(app))
        elapsed_s = app.live.run_state.elapsed_s(app.live.now_s)
        assert app.live.run_state.elapsed_s(app.live.now_s + 100) == elapsed_s
        await until(pilot, lambda: app.said[-1:] == ["Cancelled: 3 to do, 1 cancelled."])
        assert app.live.exit_status() == 130
        await pilot.press("2")
        await until(pilot, lambda: "Start" in footer(app))
        assert "Pause" not in footer(app)

    drive(app, steps, (110, 30))


def test_after_a_pause_and_then_a_cancel_in_the_midst_of_the_last_cells(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        begin(todo, tell)
        wait_for(control)
        while not control.cancelled:
            time.sleep(0.01)
        end(todo[0], tell, "ok")
        return ["ok"]

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "step 3 of 9" in shown(app))
        await pilot.press("p")
        await until(pilot, lambda: "pausing 0/4" in shown(app) and "Pause" not in footer(app))
        await until(pilot, lambda: "Cancel" in footer(app))
        await pilot.press("X", "y")
        await until(pilot, lambda: ", cancelled" in shown(app))
        assert "1 of 4 cells" in shown(app)
        assert "1 cancelled" not in shown(app)  # the cell came to its end before it heard of it

    drive(app, steps, (110, 30))


def test_after_a_pause(app: Repliquant, play: Callable[[Scene], None], tmp_path: Path) -> None:
    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        begin(todo, tell)
        wait_for(control)
        end(todo[0], tell, "ok")
        return ["ok"]

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "step 3 of 9" in shown(app))
        await pilot.press("p")
        await until(pilot, lambda: ", paused" in shown(app))
        assert "1 of 4 cells" in shown(app)
        assert "about" not in shown(app).splitlines()[3]
        assert app.live.exit_status() == 0

    drive(app, steps, (110, 30))


@pytest.mark.first(1)
@pytest.mark.parametrize("what", ["pause", "cancel"])
def test_what_is_ended_before_its_first_cell(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path, what: str
) -> None:
    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        tell(LogLine("fetching", "detail", 1, 2))
        wait_for(control)
        tell(LogLine("fetching", "detail", 2, 2))
        raise AssertionError("control ends it at the word above")

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "fetching" in shown(app))
        await pilot.press(*(["p"] if what == "pause" else ["X", "y"]))
        word = "paused" if what == "pause" else "cancelled"
        await until(pilot, lambda: f"{word} before its first cell" in shown(app))
        assert "fetching" not in shown(app)
        assert app.live.exit_status() == (0 if what == "pause" else 130)

    drive(app, steps, (110, 30))


def test_after_an_error_at_the_start(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        tell(LogLine("fetching", "detail", 1, 2))
        raise MachineError("the index can't be reached")

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "failed: the index can't be reached" in shown(app))
        assert "fetching" not in shown(app)
        assert app.live.exit_status() == 3

    drive(app, steps, (110, 30))


def test_after_an_error_in_the_midst_the_cell_is_to_do_and_can_be_started(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        begin(todo, tell)
        raise MachineError("runs/new can't be written to: No space left on device")

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "0:00, failed: " in shown(app))
        await until(pilot, lambda: "failed: runs/new can't be written to" in shown(app))
        text = shown(app)
        assert "0 of 4 cells" in text and "to do" in text and "running" not in text
        await pilot.press("2", "s")
        assert isinstance(app.screen, Question)

    drive(app, steps, (130, 30))


@pytest.mark.first(1)
@pytest.mark.parametrize("status", ["unsupported", "crashed", "oom", "timeout"])
def test_a_cell_that_did_not_come_to_its_end_is_not_at_100_percent(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path, status: Status
) -> None:
    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        tell(RunStarted(todo, 0))
        for planned in todo:
            tell(CellStarted(planned, ""))
            end(planned, tell, status, "why it was")
        return [status] * 4

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        said = await verdicts_read(pilot, app)
        assert "verdicts" in said and "C1 " in said
        await until(pilot, lambda: ", done" in shown(app))
        *_, phase, run = shown(app).splitlines()[1:4]
        assert "100%" not in phase and "why it was" in phase
        assert "4 of 4 cells" in run
        assert ("4 failed" in run) == (status != "unsupported")
        word = "out of memory" if status == "oom" else status
        await until(pilot, lambda: app.said[-1:] == [f"Done: 4 {word}."])

    drive(app, steps, (110, 30))


def test_a_request_that_waited_is_counted_by_itself(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    ready: list[str] = []

    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        begin(todo, tell)
        while not ready:
            time.sleep(0.01)
        for planned in todo:
            end(planned, tell, "ok")
        return ["ok"] * 4

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        first, second = tmp_path / "runs" / "first", tmp_path / "runs" / "second"
        await started(pilot, app, first)
        await started(pilot, app, second)
        await until(pilot, lambda: "1 queued" in shown(app))
        assert (
            app.live.run is not None and app.live.run.folder == first
        )  # its log is read, not that of the one that waits
        ready.append("go")
        await until(pilot, lambda: not app.live.queue.active)
        await verdicts_read(pilot, app)  # of the second: after the first, the run goes on
        await until(pilot, lambda: app.live.run.folder == second and ", done" in shown(app))
        assert (app.live.run_state.ended, app.live.run_state.total) == (4, 4)

    drive(app, steps, (110, 30))
