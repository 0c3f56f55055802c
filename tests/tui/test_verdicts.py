"""The screen with which a run ends: by itself where it is watched, else when it is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from manifests.manifest import Status
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from orchestrator.messages import CellStarted, Listener, RunStarted
from orchestrator.running.control import RunControl
from services.results import judge_claims, read_results
from services.verdict_screen import Shown, verdict_screen
from tests.tui.conftest import Scene, drive, shown
from tests.tui.scenes import begin, end, footer, started, until, verdicts_read, wait_for
from tui.app import Repliquant
from tui.screens.run import RunScreen
from tui.screens.verdicts import VerdictsScreen


def _all_ok(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
    tell(RunStarted(todo, 0))
    for planned in todo:
        tell(CellStarted(planned, ""))
        end(planned, tell, "ok")
    return ["ok"] * 4


@pytest.mark.first(1)
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_run_that_is_watched_ends_with_the_screen_that_reproduce_prints(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path, size: tuple[int, int]
) -> None:
    play(_all_ok)
    folder = tmp_path / "runs" / "new"

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, folder)
        text = await verdicts_read(pilot, app)
        results = read_results(Run(folder))
        lines = verdict_screen(Shown(judge_claims(results), results), size[0] - 1, size[1] - 1)
        on_screen = [line.rstrip() for line in text.splitlines()[1:]]
        printed = [line.plain.rstrip() for line in lines]
        assert on_screen[: len(printed)] == printed
        assert isinstance(app.screen, RunScreen)

    drive(app, steps, size)


def test_what_was_cancelled_shows_none_and_v_asks_for_it(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        begin(todo, tell)
        wait_for(control)
        end(todo[0], tell, "cancelled", "cancelled from the screen")
        return ["cancelled"]

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "step 3 of 9" in shown(app))
        assert "Verdicts" not in footer(app)
        await pilot.press("X", "y")
        await until(pilot, lambda: "Verdicts" in footer(app))
        assert isinstance(app.screen, RunScreen)
        await pilot.press("v")
        text = await verdicts_read(pilot, app)
        assert "repliquant run lad2023" in text

    drive(app, steps, (110, 30))


def test_who_looks_elsewhere_is_left_there_until_the_run_is_looked_at(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    ready: list[str] = []

    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        begin(todo, tell)
        while not ready:
            time.sleep(0.01)
        return _all_ok(todo, tell, control)

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "step 3 of 9" in shown(app))
        await pilot.press("6")
        ready.append("go")
        await until(pilot, lambda: not app.live.queue.active)
        await app.workers.wait_for_complete()
        await pilot.pause(0.5)
        assert app.current_mode == "claims" and not isinstance(app.screen, VerdictsScreen)
        await pilot.press("3")
        await verdicts_read(pilot, app)
        await pilot.press("v")
        await verdicts_read(pilot, app)

    drive(app, steps, (110, 30))
