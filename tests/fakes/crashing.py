"""``python -m tests.fakes.crashing``: as tests.fakes.cli, with a screen that has a fault.

FAKE_CRASH says where: ``key`` (searching the log), ``timer`` (once a cell's work has begun) or
``app`` (the app itself raises while it is run). Everything else is real.
"""

from __future__ import annotations

import os
from typing import Any

from textual.app import App

from tests.fakes import cli
from tui.app import Repliquant
from tui.screens.run import RunScreen


def crash(*_: object) -> None:
    raise RuntimeError("a planted fault")


_beat = Repliquant._beat


def beat(app: Repliquant) -> None:
    if any(cell.phase == "work" for cell in app.live.run_state.running.values()):
        crash()
    _beat(app)


def run(app: App[Any], *arguments: object, **settings: Any) -> None:
    App.run_before(app, *arguments, **settings)  # type: ignore[attr-defined]
    crash()


if __name__ == "__main__":
    where = os.environ["FAKE_CRASH"]
    if where == "key":
        RunScreen.action_search = crash  # type: ignore[method-assign, assignment]
    elif where == "timer":
        Repliquant._beat = beat  # type: ignore[method-assign]
    else:
        App.run_before, App.run = App.run, run  # type: ignore[attr-defined, method-assign]
        RunScreen.action_search = lambda screen: screen.app.exit()  # type: ignore[method-assign]
    cli.main()
