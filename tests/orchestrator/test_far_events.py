"""Events of a cell on another machine are seen here while it runs."""

from __future__ import annotations

from pathlib import Path

from orchestrator.running import far_events
from orchestrator.running.far_events import FarEvents


def test_what_is_heard_from_far_away_lies_in_the_folder_at_once(tmp_path: Path) -> None:
    with FarEvents(tmp_path) as far:
        far.keep(b'{"a": 1}')
        assert (tmp_path / "events.jsonl").read_bytes() == b'{"a": 1}\n'


def test_what_the_launcher_writes_here_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(b"its own\n")
    with FarEvents(tmp_path) as far:
        far.keep(b'{"a": 1}')
    assert (tmp_path / "events.jsonl").read_bytes() == b"its own\n"


def test_a_cell_that_says_nothing_leaves_no_file(tmp_path: Path) -> None:
    with FarEvents(tmp_path):
        pass
    assert not (tmp_path / "events.jsonl").exists()


def test_a_flood_is_bounded(tmp_path: Path, monkeypatch: object) -> None:
    with FarEvents(tmp_path) as far:
        for _ in range(20):
            far.keep(b"x" * 2**20)
    assert (tmp_path / "events.jsonl").stat().st_size <= far_events.MOST_BYTES
