"""A cell timed under the screen and without it: what being looked at costs."""

from __future__ import annotations

import shlex
import shutil
import statistics
import subprocess
import tempfile
from pathlib import Path

import psutil

from manifests.codec import read_manifest
from tests.bench.long_cell import CHOSEN, lay_out, percent, shares_while_measuring
from tests.terminal import Terminal

MEASURE_S = 24.0
"""Long enough for the screen to be drawn meanwhile."""
TURNS = 4
_WIDTH = 132


def with_and_without_the_screen() -> None:
    """The same cell under the screen in a terminal and under `run`, in turns: A B B A."""
    ratios, shares, plain = [], [], []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        environment = lay_out(folder, MEASURE_S)
        run = ["repliquant", "run", "lad2023", "-k", CHOSEN, "--engine", "local"]
        subprocess.run(run, env=environment, check=True, capture_output=True)  # its weights
        for turn in range(TURNS):
            found = {}
            for screen in (True, False) if turn % 2 else (False, True):
                _forget(folder)
                if screen:
                    shares += _watch(folder, environment)
                else:
                    plain += _run(run, folder, environment)
                found[screen] = _latency_s(folder)
            ratios.append(found[True] / found[False])
    singles = ", ".join(f"{ratio:.3f}" for ratio in ratios)
    print(f"  latency with the screen / without: {statistics.median(ratios):.3f} (pairs {singles})")
    for whose, taken in (("screen", shares), ("command line", plain)):
        # The mean: a window in which the screen is drawn counts as often as it happens.
        told = f"{statistics.fmean(taken):.2%} of a core (windows of 3 s: {percent(taken)})"
        print(f"  the {whose}'s process: {told}")


def _inferred(folder: Path) -> Path | None:
    """The manifest of the inference, once it is there."""
    found = folder.glob("runs/*/cells/*/manifest.json")
    return next((path for path in found if read_manifest(path).cell.task == "infer"), None)


def _forget(folder: Path) -> None:
    """The inference alone is run again."""
    path = _inferred(folder)
    assert path is not None
    shutil.rmtree(path.parent)


def _latency_s(folder: Path) -> float:
    path = _inferred(folder)
    assert path is not None
    latency = read_manifest(path).metric("latency_s")
    assert latency is not None
    return statistics.median(latency.samples)


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> list[float]:
    """The shares of the command line's process, which draws nothing while a cell is timed."""
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        shares = shares_while_measuring(running.pid, folder, lambda: running.poll() is None)
    assert running.returncode == 0
    return shares


def _watch(folder: Path, environment: dict[str, str]) -> list[float]:
    """The shares of the screen's process: started by keys, watched until the cell has ended."""
    terminal = Terminal(folder, environment, _WIDTH)
    try:
        command = f"exec repliquant tui lad2023 --engine local -k {shlex.quote(CHOSEN)}"
        terminal.type(shlex.join(["sh", "-c", f"echo $$ > pid; {command}"]))
        terminal.shows(lambda shown: "1 Home" in shown and "nothing runs" in shown)
        for key, awaited in (("2", "1 to do"), ("s", "Start: 1 cell"), ("y", "0 of 1 cells")):
            terminal.tmux("send-keys", key)
            terminal.shows(lambda shown, awaited=awaited: awaited in shown)  # type: ignore[misc]
        pid = int((folder / "pid").read_text())
        shares = shares_while_measuring(pid, folder, lambda: _inferred(folder) is None)
        terminal.shows(lambda shown: "1 of 1 cells" in shown)
        terminal.tmux("send-keys", "q")
        psutil.Process(pid).wait(30)
        return shares
    finally:
        terminal.close()
