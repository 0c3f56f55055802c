"""While a cell is timed on this machine the screen stands still, but for who looks at it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from machine.sampler import INTERVAL_S
from manifests import event
from manifests.plan import PlannedCell
from orchestrator.messages import CellEvent, Listener
from orchestrator.running.control import RunControl
from tests.tui.conftest import Scene, drive, shown
from tests.tui.scenes import begin, end, started, until, wait_for
from tui import app as app_module
from tui.app import Repliquant
from tui.live import Live
from tui.run_queue import Received
from tui.sampling import RESTING_S, Sampling
from tui.screens.run import RunScreen


@pytest.mark.first(1)
@pytest.mark.parametrize(("phase", "still"), [("measure", True), ("build", False)])
def test_it_is_drawn_rarely_while_a_cell_is_timed(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, phase: str, still: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr("tui.live.TIMED_BEAT_S", 60.0)
    beats: list[float] = []
    monkeypatch.setattr(RunScreen, "beat", lambda page: beats.append(time.monotonic()))
    takings: list[float] = []
    take_messages = Live.take_messages

    def taking(live: Live) -> list[Received]:
        takings.append(time.monotonic())
        return take_messages(live)

    monkeypatch.setattr(Live, "take_messages", taking)

    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[str]:
        begin(todo, tell)
        tell(CellEvent(todo[0], event.Phase(time_s=2, name=phase)))
        wait_for(control)
        end(todo[0], tell, "ok")
        return ["ok"]

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        app.live.sampling = Sampling(app.live.trace)
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: app.live.timing is still and app.live.run_state.running != {})
        await pilot.pause(app_module._LOOKED_AT_S + 0.5)  # who started it looks elsewhere now
        beats.clear()
        takings.clear()
        await pilot.pause(1.6)
        assert bool(beats) is not still
        assert (len(takings) <= 2) is still
        sampling = app.live.sampling
        assert sampling is not None and (sampling.sampler.interval_s == RESTING_S) is still
        assert ("drawn every 60 s" in shown(app).splitlines()[0]) is still
        await pilot.press("down")
        await until(pilot, lambda: bool(beats))
        await pilot.press("p")
        await until(pilot, lambda: not app.live.queue.active)
        await until(pilot, lambda: sampling.sampler.interval_s == INTERVAL_S)

    drive(app, steps)
