"""``tui --plain``: the same words as the screens, a line a row, nothing that needs a terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.tui.conftest import RUN
from tui import plain
from tui.commands import tui as command


@pytest.fixture(autouse=True)
def _machine(recorded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.this_machine import Business
    from tests.tui.conftest import MACHINE

    monkeypatch.setattr(plain, "look_at_machine", lambda: MACHINE)
    monkeypatch.setattr(plain, "look_who_is_busy", lambda: Business(True, "quiet"))


def test_all_screens_are_lines_of_words() -> None:
    done = CliRunner().invoke(command, ["lad2023", "--plain"], standalone_mode=False)
    assert done.exception is None
    lines = done.stdout.splitlines()
    heads = [line for line in lines if line.startswith("# ")]
    assert heads == ["# Home", "# Plan", "# Run", "# Results", "# Explain", "# Claims"]
    assert not set(done.stdout) & set("█▓▒░│┃─\x1b")
    assert any(line.startswith("lad2023. paper Quantization Support") for line in lines)
    assert any(line.startswith(f"{RUN}. tier quick. cells") for line in lines)
    assert (
        "pytorch. quantity int8 size. published 10.76 MB. measured 10.78 MiB. ratio 1.00. n 1"
        in lines
    )
    assert any(line.startswith("C1. the paper says: ") for line in lines)


def test_one_screen_is_asked_for_by_its_name() -> None:
    done = CliRunner().invoke(
        command, ["shafique2023", "--plain", "--screen", "results"], standalone_mode=False
    )
    assert done.stdout == "# Results\nNo run of shafique2023 yet: repliquant run shafique2023\n\n"
