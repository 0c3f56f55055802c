"""Whatever is pressed, the app goes on, and shows what lies on disk.

A short walk with the variety of a long one: it begins on each screen in turn, and keys come in
small handfuls, so that more screens are seen in as many keys. ``just bench walks`` has the long
one, of 20,000.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from textual.pilot import Pilot

from orchestrator.engines.auto import Choice
from orchestrator.running import request
from services import doctor
from tests.fakes.instant import InstantEngine
from tests.tui.conftest import drive
from tests.tui.scenes import until
from tests.tui.walks import Walk, lay_out
from tui.app import Repliquant
from tui.palette import Palette

SEEDS = range(4)
KEYS_A_SEED = 45
AT_ONCE = 8


@pytest.fixture
def several(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Several runs; nothing here starts a process."""
    lay_out(recorded)
    engine = InstantEngine()
    monkeypatch.setattr(request, "_engine", lambda *_: Choice(engine, "a test"))
    monkeypatch.setattr(doctor, "examine", lambda: [doctor.Diagnosis("ok", "engine", "local")])
    monkeypatch.setenv("HOME", str(recorded.parent.parent))
    return recorded.parent


def test_no_keys_bring_the_app_down(several: Path) -> None:
    seen: Counter[str] = Counter()

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        for seed in SEEDS:
            walk = Walk(seed, KEYS_A_SEED, AT_ONCE, first=str(6 - seed))
            await walk(pilot, app)
            seen.update(walk.seen)

    app = Repliquant(sample=False, theme="repliquant")
    app.animation_level = "none"
    drive(app, steps)
    assert len(seen) >= 10  # all pages, and most of what lies on top of them


def test_a_palette_opens_while_the_last_one_is_being_taken_down(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        for _ in range(3):
            app.action_command_palette()
            await until(pilot, lambda: isinstance(app.screen, Palette) and app.screen.is_active)
            app.screen.dismiss()
            app.action_command_palette()
            await until(pilot, lambda: isinstance(app.screen, Palette) and app.screen.is_active)
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, Palette))

    drive(app, steps)


def test_the_themes_are_closed_once_however_often_they_are_asked_to(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        app.search_themes()
        await until(pilot, lambda: isinstance(app.screen, Palette) and app.screen.is_active)
        themes = app.screen
        themes.dismiss()
        themes.dismiss()
        await until(pilot, lambda: not isinstance(app.screen, Palette))
        assert len(app.screen_stack) == 1

    drive(app, steps)
