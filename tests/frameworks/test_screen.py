"""The screen in a real terminal over real frameworks: from the start to an exported table."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from tests.frameworks.conftest import Reproduction, smallest_study
from tests.terminal import Terminal

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(shutil.which("tmux") is None, reason="no tmux"),
]
CHOSEN = "pytorch and ptq-fx and batch_size=1"


@pytest.mark.thorough
def test_a_quick_run_from_the_start_to_an_exported_table(
    images: dict[str, Path], tmp_path: Path
) -> None:
    made = Reproduction(tmp_path)
    smallest_study(tmp_path)
    terminal = Terminal(tmp_path, made.environment, width=120)
    try:
        command = f"{sys.executable} -m cli tui lad2023 --engine local -k '{CHOSEN}'"
        terminal.type(f"{command}; echo status $?")
        terminal.shows(lambda screen: "1 Home" in screen and "lad2023" in screen)
        terminal.tmux("send-keys", "2")
        terminal.shows(lambda screen: "batch_size=1   3 to" in screen)
        terminal.tmux("send-keys", "s")
        terminal.shows(lambda screen: "Start: 3 cells" in screen)
        terminal.tmux("send-keys", "y")
        terminal.shows(lambda screen: "3 of 3 cells" in screen, within_s=300)
        terminal.tmux("send-keys", "4")
        terminal.shows(lambda screen: "run lad2023-quick-digits" in screen and "3 ok" in screen)
        terminal.tmux("send-keys", "e")
        terminal.shows(lambda screen: "Export tables" in screen)
        terminal.tmux("send-keys", "-l", "out.md")
        terminal.shows(lambda screen: "out.md" in screen)
        terminal.tmux("send-keys", "Enter")
        terminal.shows(lambda screen: "Written" in screen)
        terminal.tmux("send-keys", "q")
        terminal.shows(lambda screen: "status 0" in screen)
    finally:
        terminal.close()
    int8 = made.one("pytorch", "infer", "ptq-fx")
    latency = int8.metric("latency_s")
    assert int8.proof is not None and int8.proof.coverage == 1.0
    assert latency is not None and int8.telemetry is not None
    written = (tmp_path / "out.md").read_text()
    assert "| pytorch | float32 size | 42.62 MB | 42.62 MiB | 1.00 | 1 | 1 |  |" in written
    assert written == made("table", "lad2023", "--table", "table1", "--format", "md").stdout
