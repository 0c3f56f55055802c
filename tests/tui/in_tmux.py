"""The screen in a real terminal, driven by keys."""

from __future__ import annotations

import shlex
import sys

from tests.conftest import Workshop
from tests.terminal import Terminal


def start(
    terminal: Terminal, workshop: Workshop, *options: str, program: str = "tests.fakes.cli"
) -> None:
    """Start the screen and wait for its first page."""
    arguments = ["tui", "toy", "--engine", "fake", *options]
    command = shlex.join([sys.executable, "-m", program, *arguments])
    terminal.type(f"{command}; echo status $?")
    terminal.shows(lambda screen: "1 Home" in screen and "A toy" in screen)


def keys(terminal: Terminal, *names: str) -> None:
    for name in names:
        terminal.tmux("send-keys", name)


def plan(terminal: Terminal, cells: int = 6) -> None:
    keys(terminal, "2")
    terminal.shows(lambda screen: f"{cells} to do" in screen)


def go(terminal: Terminal, cells: int = 6) -> None:
    """From the plan: start all cells."""
    plan(terminal, cells)
    keys(terminal, "s")
    terminal.shows(lambda screen: f"Start: {cells} cells" in screen)
    keys(terminal, "y")
