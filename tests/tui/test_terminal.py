"""The real program in a real terminal (tmux): from start through a run to an exported table."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Workshop
from tests.fakes.studies import CLAIMS, write_study
from tests.terminal import Terminal
from tests.tui.in_tmux import go, keys, plan, start


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_from_the_start_through_a_run_to_an_exported_table(
    workshop: Workshop, terminal: Terminal
) -> None:
    start(terminal, workshop)
    go(terminal)
    terminal.shows(lambda screen: "6 of 6 cells" in screen)
    keys(terminal, "4")
    screen = terminal.shows(lambda screen: "run toy-quick-digits" in screen and "6 ok" in screen)
    assert "Table I" in screen
    keys(terminal, "e")
    terminal.shows(lambda screen: "Export tables" in screen)
    terminal.tmux("send-keys", "-l", "out.md")
    terminal.shows(lambda screen: "out.md" in screen)
    keys(terminal, "Enter")
    until((workshop.folder / "out.md").exists)
    assert (workshop.folder / "out.md").read_text().startswith("### Latency")
    keys(terminal, "q")
    screen = terminal.shows(lambda screen: "status 0" in screen)
    assert "1 Home" not in screen
    assert len(workshop.executed()) == 6


def test_a_run_goes_on_as_lines_when_the_screen_is_left(
    workshop: Workshop, terminal: Terminal
) -> None:
    write_study(workshop.folder, seconds=0.7)
    start(terminal, workshop)
    go(terminal)
    terminal.shows(lambda screen: "running" in screen and "of 6 cells" in screen)
    keys(terminal, "q")
    terminal.shows(lambda screen: "A run goes on" in screen)
    keys(terminal, "g")
    screen = terminal.shows(lambda screen: "status 0" in screen)
    assert "[6/6]" in screen
    assert len(workshop.manifests()) == 6


def test_cancelling_asks_and_leaves_a_run_that_can_go_on(
    workshop: Workshop, terminal: Terminal
) -> None:
    write_study(workshop.folder, seconds=30)
    start(terminal, workshop)
    go(terminal)
    terminal.shows(lambda screen: "work" in screen and "0 of 6 cells" in screen)
    keys(terminal, "X")
    terminal.shows(lambda screen: "Cancel the run?" in screen)
    keys(terminal, "y")
    until(lambda: len(workshop.manifests()) == 1)
    manifest = json.loads(workshop.manifests()[0].read_text())
    assert (manifest["status"], manifest["transient"]) == ("cancelled", True)
    terminal.shows(lambda screen: "running" not in screen and "cancelling" not in screen)
    keys(terminal, "q")
    terminal.shows(lambda screen: "status 130" in screen)


def test_pausing_ends_after_the_cell_and_starting_goes_on(
    workshop: Workshop, terminal: Terminal
) -> None:
    write_study(workshop.folder, seconds=1.5)
    start(terminal, workshop)
    go(terminal)
    terminal.shows(lambda screen: "work" in screen and "0 of 6 cells" in screen)
    keys(terminal, "p")
    terminal.shows(lambda screen: "1 ok, 5 to do" in screen or "1 of 6 cells" in screen)
    keys(terminal, "2")
    terminal.shows(lambda screen: "1 ok, 5 to do" in screen)
    assert len(workshop.manifests()) == 1
    write_study(workshop.folder, seconds=1.5)
    keys(terminal, "s")
    terminal.shows(lambda screen: "Start: 5 cells" in screen)


def test_the_cells_of_a_claim_are_run_from_where_it_stands(
    workshop: Workshop, terminal: Terminal
) -> None:
    (workshop.folder / "studies" / "toy" / "claims.toml").write_text(CLAIMS)
    start(terminal, workshop)
    keys(terminal, "6")
    terminal.shows(lambda screen: "measured: 2 not measured, 1 untestable" in screen)
    keys(terminal, "p")
    terminal.shows(lambda screen: "claim C1" in screen and "2 to do" in screen)
    keys(terminal, "s")
    terminal.shows(lambda screen: "Start: 2 cells" in screen)
    keys(terminal, "y")
    terminal.shows(lambda screen: "2 of 2 cells" in screen)
    keys(terminal, "6")
    terminal.shows(lambda screen: "measured: 1 undecided, 1 not measured, 1 untestable" in screen)
    keys(terminal, "q")
    terminal.shows(lambda screen: "status 0" in screen)
    assert {json.loads(path.read_text())["cell"]["framework"] for path in workshop.manifests()} == {
        "alpha"
    }


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_screen_that_is_ended_from_outside_ends_its_run_and_restores_the_terminal(
    workshop: Workshop, terminal: Terminal, signum: int
) -> None:
    write_study(workshop.folder, seconds=30)
    start(terminal, workshop)
    go(terminal)
    terminal.shows(lambda screen: "work" in screen and "0 of 6 cells" in screen)
    os.kill(process_of(workshop), signum)
    terminal.shows(lambda screen: "status" in screen.splitlines()[-1] or "status " in screen)
    terminal.type("echo shell $((6*7)) works")
    terminal.shows(lambda screen: "shell 42 works" in screen)
    until(lambda: len(workshop.manifests()) == 1)
    assert json.loads(workshop.manifests()[0].read_text())["status"] == "cancelled"


def test_a_terminal_that_goes_away_takes_no_process_with_it_into_the_dark(
    workshop: Workshop, terminal: Terminal
) -> None:
    write_study(workshop.folder, seconds=30)
    start(terminal, workshop)
    go(terminal)
    terminal.shows(lambda screen: "work" in screen and "0 of 6 cells" in screen)
    pid = process_of(workshop)
    terminal.close()
    until(lambda: not Path(f"/proc/{pid}").exists())
    assert json.loads(workshop.manifests()[0].read_text())["status"] == "cancelled"


def process_of(workshop: Workshop) -> int:
    """The process that shows the screen of this workshop."""
    lines = subprocess.run(["ps", "-eo", "pid,args"], capture_output=True, text=True, check=True)
    for line in lines.stdout.splitlines():
        pid, _, arguments = line.strip().partition(" ")
        if "-m tests.fakes.cli tui" in arguments and not arguments.startswith(("tmux", "sh")):
            environment = Path(f"/proc/{pid}/environ").read_bytes()
            if str(workshop.folder).encode() in environment:
                return int(pid)
    raise AssertionError(lines.stdout)


def test_a_terminal_of_20_by_5_and_back(workshop: Workshop, terminal: Terminal) -> None:
    start(terminal, workshop)
    for key in "23456":
        keys(terminal, key)
        terminal.tmux("resize-window", "-x", "20", "-y", "5")
        terminal.tmux("resize-window", "-x", "100", "-y", "40")
        terminal.shows(lambda screen: "6 Claims" in screen)
    keys(terminal, "q")
    terminal.shows(lambda screen: "status 0" in screen)


def test_what_a_terminal_lost_is_drawn_again(workshop: Workshop, terminal: Terminal) -> None:
    start(terminal, workshop)
    tty = terminal.tmux("display", "-p", "#{pane_tty}").strip()
    Path(tty).write_bytes(b"\x1b[2J\x1b[Hrubbish")
    terminal.shows(lambda screen: screen.startswith("rubbish"))
    os.kill(process_of(workshop), signal.SIGWINCH)
    screen = terminal.shows(lambda screen: "1 Home" in screen and "A toy" in screen)
    assert "rubbish" not in screen


def test_without_a_terminal_it_says_so(workshop: Workshop) -> None:
    done = workshop("tui", "toy", status=3)
    assert "needs a terminal" in done.stderr
    done = workshop("replay", "nothing", status=2)
    assert "no run 'nothing'" in done.stderr


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


@pytest.mark.first(2)
@pytest.mark.parametrize("within", ["", "sh -c {}"])
@pytest.mark.parametrize("where", [["1"], ["2", "o"], ["2", "s"]])
def test_ctrl_z_suspends_and_what_is_typed_then_is_the_shells(
    workshop: Workshop, terminal: Terminal, within: str, where: list[str]
) -> None:
    """Also from a form and a question, and under a program that waits for it, as just does."""
    command = shlex.join(workshop.command("tui", "toy", "--engine", "fake"))
    terminal.type(within.format(shlex.quote(f"{command}; exit 0")) if within else command)
    terminal.shows(lambda screen: "1 Home" in screen and "A toy" in screen)
    plan(terminal)
    keys(terminal, *where)
    pid = process_of(workshop)
    keys(terminal, "C-z")
    until(lambda: state_of(pid) == "T")
    terminal.type("echo s $((6*7)) y")
    screen = terminal.shows(lambda screen: "s 42 y" in screen)
    assert "Stopped" in screen or "Suspended" in screen
    assert not workshop.executed()
    terminal.type("clear; fg")
    # The form may cover all lines, or all but the last.
    terminal.shows(lambda screen: "q Leave" in screen or "run folder" in screen)
    keys(terminal, "Escape")
    time.sleep(0.5)  # else it is the beginning of a sequence
    keys(terminal, "2")
    terminal.shows(lambda screen: "6 to do" in screen)
    keys(terminal, "q")
    until(lambda: not Path(f"/proc/{pid}").exists())
    assert not workshop.executed()


def test_a_cell_goes_on_while_the_screen_is_suspended(
    workshop: Workshop, terminal: Terminal
) -> None:
    """No further one starts before the screen goes on, and then the run is finished."""
    write_study(workshop.folder, seconds=1.5, batch_sizes=[1])
    start(terminal, workshop)
    go(terminal, 4)
    terminal.shows(lambda screen: "work" in screen and "0 of 4 cells" in screen)
    pid = process_of(workshop)
    keys(terminal, "C-z")
    until(lambda: state_of(pid) == "T")
    until(lambda: len(workshop.manifests()) == 1)
    time.sleep(2)
    assert len(workshop.executed()) == 1
    terminal.type("fg")
    terminal.shows(lambda screen: "4 of 4 cells" in screen)
    states = [json.loads(path.read_text())["status"] for path in workshop.manifests()]
    assert states == ["ok"] * 4
