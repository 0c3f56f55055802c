"""Which run is shown, and what is asked before one is started."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from manifests.manifest import Status
from manifests.plan import PlannedCell
from orchestrator.messages import Listener, LogLine
from orchestrator.running.control import RunControl
from orchestrator.running.request import Request
from services.selection import RunOptions
from tests.tui.conftest import Scene, drive, settle, shown
from tests.tui.scenes import begin, end, started, until, wait_for
from tui.app import Repliquant
from tui.screens.dialogs import Question


async def _in_results(pilot: Pilot[str], app: Repliquant, text: str) -> None:
    await pilot.press("4")
    await until(pilot, lambda: text in shown(app))


def test_the_run_that_was_asked_for_is_the_one_shown(recorded: Path) -> None:
    asked = recorded.parent.parent / "elsewhere" / "mine"
    shutil.copytree(recorded, asked)
    os.utime(asked / "plan.json", (0, 0))  # not the latest, and not among the others
    app = Repliquant(RunOptions(Request("lad2023", run_dir=asked)), sample=False)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await _in_results(pilot, app, "run mine ")

    drive(app, steps)


def test_a_run_folder_that_is_new_shows_no_other_run(recorded: Path) -> None:
    app = Repliquant(RunOptions(Request("lad2023", run_dir=Path("runs/fresh"))), sample=False)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await _in_results(pilot, app, "no run in runs/fresh yet")
        assert "42.62 MB" not in shown(app)

    drive(app, steps)


def test_the_run_of_another_study_is_not_shown_as_this_ones(recorded: Path) -> None:
    app = Repliquant(RunOptions(Request("shafique2023", run_dir=recorded)), sample=False)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await _in_results(pilot, app, "is a run of lad2023, not of shafique2023")

    drive(app, steps, (110, 30))


def test_a_run_that_has_just_ended_is_the_one_shown(
    app: Repliquant, recorded: Path, play: Callable[[Scene], None]
) -> None:
    other = recorded.with_name("older")
    shutil.copytree(recorded, other)
    os.utime(other / "plan.json", (0, 0))

    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        begin(todo, tell)
        end(todo[0], tell, "ok")
        return ["ok"]

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        assert app.data.results is not None
        assert app.data.results.run.id == recorded.name
        options = app.data.options
        app.data.plan(options._replace(request=options.request._replace(run_dir=other)))
        await settle(pilot, app)
        await pilot.press("2", "a", "R", "y")
        await until(pilot, lambda: not app.live.queue.active)
        await _in_results(pilot, app, "run older ")
        await pilot.press("1", "down", "r")  # another study, and back
        await settle(pilot, app)
        await pilot.press("1", "up", "r")
        await until(pilot, lambda: "run older " in shown(app))

    drive(app, steps)


def test_enter_alone_starts_nothing(app: Repliquant, tmp_path: Path) -> None:
    """As in ``ls`` and enter, typed into the wrong window."""

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        options = app.data.options
        app.data.plan(options._replace(request=options.request._replace(run_dir=tmp_path / "new")))
        await settle(pilot, app)
        await pilot.press("2", "l", "s", "enter")
        await pilot.pause()
        assert not isinstance(app.screen, Question)
        assert not app.live.queue.active

    drive(app, steps)


def test_the_question_counts_what_the_chosen_cells_start_from(
    app: Repliquant, tmp_path: Path
) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        options = app.data.options
        app.data.plan(options._replace(request=options.request._replace(run_dir=tmp_path / "new")))
        await settle(pilot, app)
        await pilot.press("2", "slash", *"tensorflow and quantize", "enter", "down", "space", "s")
        await pilot.pause()
        assert "Start: 2 cells" in shown(app)
        assert "Among them 1 cell that the chosen ones start from." in shown(app)

    drive(app, steps)


def test_what_is_measured_again_and_why_stands_on_the_run_page(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        tell(LogLine("C10 open: 2 more processes a side (2 cells), about 40 s", "aim"))
        begin(todo, tell)
        wait_for(control)
        end(todo[0], tell, "ok")
        return ["ok"]

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "new")
        aim = "again      C10 open: 2 more processes a side (2 cells), about 40 s"
        await until(pilot, lambda: aim in shown(app))
        await pilot.press("p")
        await until(pilot, lambda: aim not in shown(app))

    drive(app, steps)
