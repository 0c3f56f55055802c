"""Progress: a line a cell where nobody watches, a bar on a real terminal that Ctrl-C ends."""

from __future__ import annotations

import io
import shlex
from pathlib import Path

from rich.console import Console

from services.progress import Progress
from tests.conftest import Workshop
from tests.fakes.studies import write_study
from tests.terminal import Terminal


def test_ctrl_c_on_a_terminal_ends_the_run_and_gives_the_shell_back(
    workshop: Workshop, terminal: Terminal
) -> None:
    write_study(workshop.folder, seconds=60)
    terminal.type(shlex.join(workshop.command("run", "toy", "--engine", "fake")))
    terminal.shows(lambda screen: "alpha train plain batch 2 · work" in screen)
    terminal.tmux("send-keys", "C-c")
    terminal.shows(lambda screen: "repliquant: interrupted" in screen)
    terminal.type("echo status $? shell works")
    screen = terminal.shows(lambda screen: "status 130 shell works" in screen)
    assert "alpha train plain batch 2: cancelled (interrupted)" in screen
    assert "Traceback" not in screen


def test_a_bar_does_not_stay_behind(workshop: Workshop, terminal: Terminal) -> None:
    write_study(workshop.folder, seconds=1.2)
    command = workshop.command("run", "toy", "--engine", "fake", "-k", "alpha and train")
    terminal.type(shlex.join(command))
    terminal.shows(lambda screen: "━" in screen and " left" in screen)
    screen = terminal.shows(lambda screen: "next     repliquant run toy" in screen)
    assert "[1/1] alpha train plain batch 2: ok" in screen
    assert "━" not in screen


def test_at_80_columns_the_bar_its_percentage_and_the_rest_are_there(tmp_path: Path) -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    with Progress(console) as progress:
        progress.state.whole_estimate_s = 60.0
        progress.state.done_estimate_s = progress.state.done_wall_s = 30.0
        progress._show("pytorch infer float32 resnet18 batch 128 rigorous repeat 2 · measure")
        line = console.file.getvalue().splitlines()[-1]  # type: ignore[attr-defined]
    assert "…" in line and "━" in line and "50%" in line and "30 s left" in line


def test_without_a_terminal_there_is_a_line_a_cell(workshop: Workshop) -> None:
    lines = workshop.run("-k", "alpha and batch_size=1").stderr.splitlines()
    cells = [line for line in lines if line.startswith("[")]
    assert [line.partition(" ")[0] for line in cells] == ["[1/2]", "[2/2]"]
    assert "[1/2] alpha train plain batch 2: ok" in cells[0]
    assert "left" not in cells[1]


def test_a_run_whose_reader_goes_away_is_interrupted_not_done(workshop: Workshop) -> None:
    write_study(workshop.folder, seconds=0.5)
    process = workshop.start()
    assert process.stdout is not None and process.stderr is not None
    while not process.stderr.readline().startswith("[1/6]"):
        pass
    process.stderr.close()
    process.stdout.close()
    assert process.wait(timeout=60) == 130
    done = workshop("run", "toy", "--engine", "fake")
    assert "6 cells executed" not in done.stderr and "of 6: 6 ok" in done.stderr
