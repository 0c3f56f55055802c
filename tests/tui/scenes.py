"""Scenes played in the executor's place, and waiting for what the screen makes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from textual.pilot import Pilot

from manifests import event
from manifests.manifest import Status
from manifests.plan import PlannedCell
from orchestrator.messages import CellEnded, CellEvent, CellStarted, Listener, RunStarted
from orchestrator.running.control import RunControl
from tests.manifests.samples import a_manifest
from tests.tui.conftest import settle, shown
from tui.app import Repliquant
from tui.screens.dialogs import Question
from tui.screens.verdicts import VerdictsScreen


def begin(todo: list[PlannedCell], tell: Listener) -> None:
    """The first cell trains, and is at step 3 of 9."""
    tell(RunStarted(todo, 0))
    tell(CellStarted(todo[0], ""))
    tell(CellEvent(todo[0], event.Phase(time_s=0, name="train")))
    tell(CellEvent(todo[0], event.Step(time_s=1, step=3, of=9)))


def end(planned: PlannedCell, tell: Listener, status: Status, reason: str = "") -> None:
    tell(CellEnded(planned, a_manifest(planned.cell, status=status, reason=reason, wall_s=2.0)))


def wait_for(control: RunControl) -> None:
    while not control.paused:
        time.sleep(0.01)


async def started(pilot: Pilot[str], app: Repliquant, folder: Path) -> None:
    """Start what is to do of a run in a new folder, and see its page."""
    options = app.data.options
    app.data.plan(options._replace(request=options.request._replace(run_dir=folder)))
    await settle(pilot, app)
    await pilot.press("2", "s")
    assert isinstance(app.screen, Question)
    await pilot.press("y")


async def until(pilot: Pilot[str], condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end:
        if condition():
            await pilot.pause()
            return
        await pilot.pause(0.05)
    raise AssertionError(shown(pilot.app))  # type: ignore[arg-type]


async def verdicts_read(pilot: Pilot[str], app: Repliquant) -> str:
    """Wait for the screen with which a run ends, and close it; what it said."""
    await until(pilot, lambda: isinstance(app.screen, VerdictsScreen) and "next" in shown(app))
    text = shown(app)
    await pilot.press("escape")
    await until(pilot, lambda: not isinstance(app.screen, VerdictsScreen))
    return text


def footer(app: Repliquant) -> str:
    return shown(app).splitlines()[-1]
