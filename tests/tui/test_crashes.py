"""A fault of the screen: the terminal is given back, and the run goes on to its end."""

from __future__ import annotations

import json

import pytest

from tests.conftest import Workshop
from tests.fakes.studies import write_study
from tests.terminal import Terminal
from tests.tui.in_tmux import go, keys, start


@pytest.mark.first(1)
@pytest.mark.parametrize("where", ["key", "timer", pytest.param("app", marks=pytest.mark.thorough)])
def test_a_crash_of_the_screen_leaves_the_run_going(
    workshop: Workshop, terminal: Terminal, where: str
) -> None:
    write_study(workshop.folder, seconds=1.5, batch_sizes=[1])
    terminal.type(f"export FAKE_CRASH={where}")
    start(terminal, workshop, program="tests.fakes.crashing")
    go(terminal, 4)
    if where != "timer":
        terminal.shows(lambda screen: "work" in screen and "0 of 4 cells" in screen)
        keys(terminal, "/")
    terminal.shows(lambda screen: "a planted fault" in screen)
    screen = terminal.shows(lambda screen: "status 1" in screen)
    assert "The screen has crashed. The run goes on here; Ctrl-C cancels it" in screen
    assert "[4/4]" in screen
    states = [json.loads(path.read_text())["status"] for path in workshop.manifests()]
    assert states == ["ok"] * 4
    terminal.type("echo shell $((6*7)) works; stty -a | grep -o ' echo '")
    terminal.shows(lambda screen: "shell 42 works\n echo" in screen)


def test_a_crash_while_nothing_runs_ends_with_status_1(
    workshop: Workshop, terminal: Terminal
) -> None:
    terminal.type("export FAKE_CRASH=key")
    start(terminal, workshop, program="tests.fakes.crashing")
    keys(terminal, "3", "/")
    screen = terminal.shows(lambda screen: "status 1" in screen)
    assert "a planted fault" in screen
    assert "The screen has crashed.\n" in screen
