"""The app over a recording of a real run, with nothing of this machine in the picture."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from machine import inventory
from machine.allotment import Allotment
from manifests.codec import write_plan
from manifests.manifest import Status
from manifests.plan import PlannedCell
from orchestrator.messages import Listener
from orchestrator.running import execute as running
from orchestrator.running import request as asking
from orchestrator.running.control import RunControl
from orchestrator.running.execute import Outcome
from orchestrator.running.request import Request
from services.runs import find_run
from services.this_machine import Business, MachineWords
from tests.conftest import ROOT
from tests.manifests.samples import a_manifest
from tui import home_data
from tui.app import Repliquant
from tui.recording import read_recording
from tui.replay import Replay

RECORDED = ROOT / "tests" / "recorded"
RUN = "lad2023-quick-digits"
MACHINE = MachineWords("Intel Xeon Processor, 2 processors", "7.8 GiB of memory", "no GPU", "local")

Scene = Callable[[list[PlannedCell], Listener, RunControl], list[Status]]
Steps = Callable[[Pilot[str], Repliquant], Awaitable[None]]


@pytest.fixture(autouse=True)
def _steady_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture doesn't depend on how far the cursor's blinking has come."""
    monkeypatch.setattr(Input, "_toggle_cursor", lambda self: None)


@pytest.fixture(autouse=True)
def _drawn_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for a screen that stands still while a cell is timed."""
    monkeypatch.setattr("tui.live.TIMED_BEAT_S", 0.0)


@pytest.fixture
def recorded(drawing: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the recorded run, among the runs that the app finds."""
    shutil.copytree(RECORDED / RUN, tmp_path / "runs" / RUN)
    shutil.copytree(drawing, tmp_path / "cache" / "charts")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPLIQUANT_RUNS", "runs")
    # As they were when that run was recorded: no study that changes changes a picture.
    monkeypatch.setenv("REPLIQUANT_STUDIES", str(ROOT / "tests" / "studies"))
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(home_data, "look_at_machine", lambda: MACHINE)
    monkeypatch.setattr(home_data, "look_who_is_busy", lambda: Business(True, "quiet"))
    monkeypatch.setattr(inventory, "gpu_count", lambda: 0)
    monkeypatch.setattr(asking, "visible_gpus", lambda: Allotment(()))
    return tmp_path / "runs" / RUN


@pytest.fixture
def app(recorded: Path) -> Repliquant:
    """The app, reading this run; nothing is sampled."""
    return Repliquant(sample=False, theme="repliquant")


@pytest.fixture
def replaying(recorded: Path) -> Repliquant:
    """A replay that stands still until it is told where to go."""
    replay = Replay(read_recording(find_run(recorded)), clock=lambda: 0.0)
    return Repliquant(replay=replay, theme="repliquant")


@pytest.fixture
def play(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Scene], None]:
    """What is started plays this scene in the executor's place; the last messages are real."""

    def prepare_scene(scene: Scene) -> None:
        def execute(
            request: Request, tell: Listener, sampler: object, control: RunControl
        ) -> Outcome:
            tell = control.heard(tell)
            prepared = asking.prepare(request)
            todo = [planned for planned in prepared.chosen if not planned.skip][:4]
            prepared.run.cells.mkdir(parents=True, exist_ok=True)
            write_plan(prepared.run.plan_path, prepared.plan)
            statuses = scene(todo, tell, control)
            ended = [a_manifest(p.cell, status=s) for p, s in zip(todo, statuses, strict=False)]
            return Outcome(prepared, ended, [])

        monkeypatch.setattr(running, "execute", execute)

    return prepare_scene


def overhear(app: Repliquant) -> None:
    """Keep the app's notifications in ``said``: those on the screen go after seconds."""
    notify, app.said = app.notify, []

    def notify_and_keep(message: str, **options: Any) -> None:
        app.said.append(message)
        notify(message, **options)

    app.notify = notify_and_keep


async def settle(pilot: Pilot[str], app: Repliquant) -> None:
    """Wait until what threads read is on the screen."""
    for _ in range(200):
        await app.workers.wait_for_complete()
        await pilot.pause(0.05)
        data = app.data
        read = data.results is not None or bool(data.results_problem)
        planned = data.prepared is not None or bool(data.plan_problem) or app.live.replay
        if read and planned and len(data.surveyed) == len(data.study_names):
            break
    else:
        raise AssertionError(f"not read: {read=} {planned=} {sorted(data.surveyed)} {app.said}")
    await pilot.pause()


def drive(app: Repliquant, steps: Steps, size: tuple[int, int] = (80, 24)) -> None:
    """Start the app without a terminal, wait for its data, and do the steps."""
    overhear(app)

    async def main() -> None:
        async with app.run_test(size=size) as pilot:
            await settle(pilot, app)
            await steps(pilot, app)

    asyncio.run(main())


def shown(app: Repliquant) -> str:
    """The text on the screen, line by line."""
    width, height = app.size
    return "\n".join(
        "".join(segment.text for segment in strip)
        for strip in app.screen._compositor.render_strips()
    )[: (width + 1) * height]
