"""Random keys, clicks and sizes over all screens, and an oracle for what they end on.

The walks are the same on every day: their seeds are fixed. Several runs of two papers are there,
and what is started runs through the real executor, on an engine whose cells are no processes.
"""

from __future__ import annotations

import contextlib
import random
import shutil
from collections import Counter
from pathlib import Path

from textual import events
from textual.errors import NoWidget
from textual.keys import _character_to_key
from textual.pilot import Pilot, WaitForScreenTimeout
from textual.widgets import Input
from textual.worker import WorkerCancelled

from manifests.codec import write_plan
from orchestrator.running import request
from tests.tui.conftest import shown
from tui.app import Repliquant
from tui.screens.base import Page
from tui.screens.dialogs import Form

_MOVES = ["up", "down", "left", "right", "home", "end", "pageup", "pagedown", "tab", "shift+tab"]
_ALWAYS = [*"123456123456", *["enter", "escape"] * 4, "space", "?", "q", "ctrl+p", "ctrl+z"]
_OF_SCREENS = [*"acdenoprsvwxyzACDJKXRZNGb[]/<>,.-+", *"rrr[]]44ss"]
_KEYS = [*_MOVES, *_ALWAYS, *_OF_SCREENS]
_TYPED = ["enter", "escape", "tab", "down", "backspace", "left", *"abcky12 =<()"]
_AWAY = ["escape", "escape", "enter", "down", "up", *"yq?p"]
_SIZES = [(80, 24), (80, 24), (20, 5), (40, 12), (132, 40), (1, 1)]


def lay_out(recorded: Path) -> None:
    """Runs whole, begun, damaged and of the other paper, beside the recorded one."""
    for name in ("another", "begun", "damaged"):
        shutil.copytree(recorded, recorded.with_name(name))
    for cell in sorted((recorded.with_name("begun") / "cells").iterdir())[3:]:
        shutil.rmtree(cell)
    (recorded.with_name("damaged") / "plan.json").write_bytes(b"\xff{")
    other = request.Request("shafique2023", run_dir=recorded.with_name("other"))
    prepared = request.prepare(other)
    prepared.run.cells.mkdir(parents=True)
    write_plan(prepared.run.plan_path, prepared.plan)


class Walk:
    """Presses keys by the dice, several at once as a key that is held does, and keeps them.

    ``most`` keys come at once; ``first`` is pressed before, so that walks begin on different
    screens.
    """

    def __init__(self, seed: int, keys: int, most: int = 30, first: str = "1") -> None:
        self.dice = random.Random(seed)
        self.left = keys
        self.pressed: list[str] = []
        self.seen: Counter[str] = Counter()
        self._most, self._first = most, first

    async def __call__(self, pilot: Pilot[str], app: Repliquant) -> None:
        app.exit = lambda *_, **__: None  # type: ignore[method-assign]
        await pilot.press(self._first)
        while self.left > 0 and app._exception is None:
            self.seen[type(app._top).__name__] += 1
            try:
                await self._step(pilot, app)
            except WaitForScreenTimeout as error:
                last = self.pressed[-3 * self._most :]
                raise AssertionError(f"no answer on {app._top}, {last}") from error
        assert app._exception is None, self.pressed[-40:]
        await same_as_on_disk(pilot, app)

    async def _step(self, pilot: Pilot[str], app: Repliquant) -> None:
        what = self.dice.random()
        if what < 0.05:
            size = self.dice.choice(_SIZES)
            self.pressed.append(f"resize {size}")
            await pilot.resize_terminal(*size)
        elif what < 0.12:
            await self._click(pilot, app)
        else:
            await self._keys(pilot, app)

    async def _click(self, pilot: Pilot[str], app: Repliquant) -> None:
        at = self.dice.randrange(app.size.width), self.dice.randrange(app.size.height)
        self.left -= 1
        if self.dice.random() < 0.3:
            self.pressed.append(f"wheel {at}")
            kind = self.dice.choice([events.MouseScrollDown, events.MouseScrollUp])
            await pilot._post_mouse_events([kind], offset=at)
            return
        self.pressed.append(f"click {at}")
        with contextlib.suppress(NoWidget):  # between two pages there is nothing to click on
            await pilot.click(offset=at, times=self.dice.choice([1, 1, 2]))

    async def _keys(self, pilot: Pilot[str], app: Repliquant) -> None:
        """A handful of keys that nobody waits for, and at times a moment for what they began."""
        keys = self.dice.choices(self._likely(app), k=self.dice.randint(1, self._most))
        self.pressed += keys
        self.left -= len(keys)
        for key in keys:
            name = key if len(key) > 1 else _character_to_key(key)
            app.post_message(events.Key(name, key if len(key) == 1 else None))
        await pilot.pause(0.03 if self.dice.random() < 0.2 else None)

    def _likely(self, app: Repliquant) -> list[str]:
        """No path that begins with a slash is typed, or a report might be written there."""
        if isinstance(app.screen, Form) or isinstance(app.focused, Input):
            return _TYPED
        return _KEYS if isinstance(app.screen, Page) else _AWAY


async def same_as_on_disk(pilot: Pilot[str], app: Repliquant) -> None:
    """The oracle: what screen 4 counts of a run is what lies in the run's folder."""
    app.live.queue.cancel("the walk has ended")
    while app.live.queue.active:
        await pilot.pause(0.05)
    while not isinstance(app._top, Page):
        await pilot.press("escape")
    app.data.read_results()
    await pilot.resize_terminal(240, 40)  # room for a line beside the help
    for _ in range(200):
        with contextlib.suppress(WorkerCancelled):  # another reading has taken its place
            await app.workers.wait_for_complete()
        await pilot.pause(0.05)
        results = app.data.results
        read = results.whole if results is not None else bool(app.data.results_problem)
        if app._top is not None and read:
            break
    if app.data.results is None:
        return  # no run of that study, or one that can't be read: the screen says so
    run = app.data.results.run
    planned = {one.id for one in run.plan().cells}  # another start's plan may have other cells
    counts = Counter(one.status for one in run.load().manifests if one.id in planned)
    await _counts(pilot, app, counts)
    while app.current_mode != "results" or len(app.screen_stack) > 1:
        await pilot.press("escape", "4")
        await pilot.pause()
    told = [f"{number} {word(status)}" for status, number in counts.items()]
    for _ in range(100):
        if all(text in shown(app).splitlines()[1] for text in (run.id, *told)):
            return
        await pilot.pause(0.05)
    raise AssertionError((told, shown(app).splitlines()[1]))


async def _counts(pilot: Pilot[str], app: Repliquant, on_disk: Counter[str]) -> None:
    """What was just read may still be on its way to the screen."""
    found: Counter[str] = Counter()
    for _ in range(200):
        if app.data.results is not None:
            found = Counter(one.status for one in app.data.results.manifests.values())
        if found == on_disk:
            return
        await pilot.pause(0.05)
    raise AssertionError((found, on_disk))


def word(status: str) -> str:
    return "out of memory" if status == "oom" else status
