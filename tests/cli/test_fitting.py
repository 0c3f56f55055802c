"""Tables fit the terminal that they are shown in: columns go, words stay whole."""

from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from cli.console import out
from services.columns import fit
from services.tables import table
from tests.cli.conftest import RUN
from tests.conftest import Workshop

COLUMNS = ("cell", "batch_size", "technique", "flags", "state")
ROWS = [
    ("0123456789ab", "8", "tftrt-float16", "–", "needs an NVIDIA GPU; none was found"),
    ("ba9876543210", "8", "amp-bfloat16", "", ""),
]


def shown(width: int, least: tuple[str, ...] = ()) -> list[str]:
    file = io.StringIO()
    made = table("A title", COLUMNS, ROWS, right=("batch_size",), least=least)
    Console(file=file, width=width).print(made)
    lines = [line.rstrip() for line in file.getvalue().splitlines()]
    assert max(map(len, lines)) <= width
    return lines


def test_a_wide_terminal_has_every_column() -> None:
    lines = shown(120)
    assert lines[0] == "A title"
    assert lines[2].split() == ["cell", "batch_size", "technique", "flags", "state"]
    assert lines[4].endswith("needs an NVIDIA GPU; none was found")


def test_below_120_columns_what_says_the_same_or_nothing_goes() -> None:
    assert shown(119)[0] == "A title · batch_size 8"
    assert shown(119)[2].split() == ["cell", "technique", "state"]


def test_words_stay_whole_and_texts_wrap() -> None:
    lines = shown(46)
    assert lines[2].split() == ["cell", "technique", "state"]
    assert lines[4:6] == [
        " 0123456789ab  tftrt-float16  needs an NVIDIA",
        "                              GPU; none was",
    ]


def test_what_there_is_no_room_for_is_told_in_a_line() -> None:
    lines = shown(34, least=("cell", "technique"))
    assert lines[2].split() == ["technique", "state"]
    assert " ".join(lines[-2:]) == "no room for: cell (in --json, or with more COLUMNS)"


def test_a_table_of_nothing_but_constants_keeps_its_columns() -> None:
    found = fit({"a": ["x", "x"], "b": ["–", "–"]}, 80)
    assert (found.widths, found.constants, found.left_out) == ({"a": 1, "b": 1}, {}, [])


@pytest.mark.parametrize(
    ("columns", "width"), [("80", 80), ("200", 200), ("", 160), ("0", 160), ("many", 160)]
)
def test_what_is_piped_is_as_wide_as_columns_says(
    monkeypatch: pytest.MonkeyPatch, columns: str, width: int
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert out().width == width


@pytest.mark.parametrize("arguments", [("plan", "toy"), ("status", RUN), ("table", "toy", RUN)])
def test_no_word_is_broken_on_80_columns(finished: Workshop, arguments: tuple[str, ...]) -> None:
    """Every word of the narrow output is one of the wide output, paths aside."""
    finished.environment["COLUMNS"] = "1000"
    wide = set(finished(*arguments).stdout.split())
    finished.environment["COLUMNS"] = "80"
    done = finished(*arguments).stdout
    table = [line for line in done.splitlines() if line.startswith(" ") and "/" not in line]
    broken = {word for line in table for word in line.split()} - wide
    assert not {word for word in broken if "─" not in word}
