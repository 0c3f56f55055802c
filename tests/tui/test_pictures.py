"""Every screen as a picture that somebody has looked at. ``pytest --snapshot-update`` renews them.

The data is the recorded run that ships with Repliquant; no picture shows this machine or a time.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual import constants
from textual.pilot import Pilot

from tests.tui.conftest import settle
from tui.app import Repliquant
from tui.loaded import Loaded, Remark, Remarks
from tui.screens.dialogs import Form

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def _no_plan_ahead(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a form would plan comes when it comes; no picture waits for it."""
    monkeypatch.setattr(Form, "_tell_live", lambda self: None)


@pytest.fixture(autouse=True)
def _no_animation(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line under a tab and the list it scrolls are where they will be, however busy it is."""
    monkeypatch.setattr(constants, "TEXTUAL_ANIMATIONS", "none")


def after(*keys: str) -> Callable[[Pilot[str]], Any]:
    """Wait for the data, then press."""

    async def run(pilot: Pilot[str]) -> None:
        app = pilot.app
        assert isinstance(app, Repliquant)
        await settle(pilot, app)
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await settle(pilot, app)

    return run


PICTURES = {
    "home": [],
    "home_runs": ["tab"],
    "plan": ["2", "down", "space", "down", "down"],
    "plan_question": ["2", "a", "s"],
    "plan_options": ["2", "o"],
    "run_idle": ["3"],
    "results": ["4"],
    "results_ratios": ["4", "]", "v"],
    "results_chart": ["4", "v", "v"],
    "results_cells": ["4", "["],
    "results_runs": ["4", "r"],
    "results_export": ["4", "e"],
    "curves": ["4", "o"],
    "manifest": ["4", "enter"],
    "manifest_samples": ["4", "[", "enter", "]"],
    "manifest_telemetry": ["4", "[", "enter", "]", "]"],
    "explain": ["5"],
    "pareto": ["5", "f", "down"],
    "claims": ["6"],
    "claims_claim": ["6", "down", "down", "enter"],
    "claims_audit": ["down", "c", "]"],
    "claims_finding": ["down", "c", "]", "enter"],
    "plan_of_a_claim": ["6", "p"],
    "plan_options_refused": ["2", "o", *["tab"] * 5, *"C99", "enter"],
    "report": ["4", "w"],
    "bundle": ["4", "b"],
    "verify": ["v"],
    "help": ["2", "question_mark"],
}


@pytest.mark.parametrize("name", PICTURES)
def test_screen(snap_compare: Compare, app: Repliquant, name: str) -> None:
    assert snap_compare(app, run_before=after(*PICTURES[name]), terminal_size=(80, 24))


@pytest.mark.first(3)
@pytest.mark.parametrize("theme", ["repliquant-light", "ansi-dark", "ansi-light"])
@pytest.mark.parametrize("name", ["plan", "results", "claims"])
def test_screen_in_other_colours(
    snap_compare: Compare, recorded: Path, name: str, theme: str
) -> None:
    app = Repliquant(sample=False, theme=theme)
    assert snap_compare(app, run_before=after(*PICTURES[name]), terminal_size=(80, 24))


@pytest.mark.first(6)
@pytest.mark.parametrize("size", [(20, 5), (40, 12), (132, 40)])
@pytest.mark.parametrize("name", ["home", "plan", "results", "claims", "claims_audit"])
def test_screen_of_another_size(
    snap_compare: Compare, app: Repliquant, name: str, size: tuple[int, int]
) -> None:
    assert snap_compare(app, run_before=after(*PICTURES[name]), terminal_size=size)


def test_the_pareto_front_on_a_large_screen(snap_compare: Compare, app: Repliquant) -> None:
    assert snap_compare(app, run_before=after(*PICTURES["pareto"]), terminal_size=(120, 40))


def test_doctor(snap_compare: Compare, app: Repliquant) -> None:
    found = [
        Remark("ok", "engine", "local: no Docker daemon answers"),
        Remark("note", "gpu", "none", "GPU cells are recorded as unsupported"),
        Remark("problem", "runs", "runs, not writable", "set REPLIQUANT_RUNS to another folder"),
    ]

    async def run(pilot: Pilot[str]) -> None:
        await settle(pilot, app)
        app.post_message(Loaded(Remarks("Doctor", "This machine", found)))
        await pilot.pause(0.2)
        await pilot.press("down")
        await pilot.pause()

    assert snap_compare(app, run_before=run, terminal_size=(80, 24))


@pytest.mark.parametrize("size", [(80, 24), (110, 32)])
def test_a_replay_in_the_middle_of_training(
    snap_compare: Compare, replaying: Repliquant, size: tuple[int, int]
) -> None:
    async def run(pilot: Pilot[str]) -> None:
        await settle(pilot, replaying)
        stage = replaying.live
        assert stage.replay is not None
        stage.seek(stage.replay.recording.length_s * 0.4)
        stage.hold()
        await pilot.pause(1.0)

    assert snap_compare(replaying, run_before=run, terminal_size=size)
