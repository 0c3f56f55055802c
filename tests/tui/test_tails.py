"""Following a file that grows faster than anybody reads, breaks its lines, or goes away."""

from __future__ import annotations

from pathlib import Path

from tui.file_tail import MOST_BYTES, FileTail


def test_whole_lines_come_once(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    tail = FileTail(path)
    assert tail.lines() == []
    path.write_bytes(b"one\ntwo\nthr")
    assert tail.lines() == ["one", "two"]
    with path.open("ab") as file:
        file.write(b"ee\n")
    assert tail.lines() == ["three"]
    assert tail.lines() == []


def test_of_a_flood_the_end_is_read_and_the_rest_is_told(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"x" * 99 + b"\n")
    tail = FileTail(path)
    assert len(tail.lines()) == 1
    with path.open("ab") as file:
        file.writelines(b"%99d\n" % number for number in range(20_000))
    lines = tail.lines()
    assert lines[0] == f"… {20_000 * 100 - MOST_BYTES:,} bytes passed over …"
    assert lines[-1].strip() == "19999"
    assert len(lines) <= MOST_BYTES // 100 + 1


def test_a_line_without_end_does_not_pile_up(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"y" * 2**20)
    assert sum(map(len, FileTail(path).lines())) <= MOST_BYTES + 100


def test_bytes_that_are_no_text_become_replacement_characters(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"\xff\xfe ok\n")
    assert FileTail(path).lines() == ["�� ok"]


def test_a_file_that_is_made_anew_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"one\ntwo\n")
    tail = FileTail(path)
    tail.lines()
    path.write_bytes(b"new\n")
    assert tail.lines() == ["new"]


def test_a_file_that_goes_away_or_is_a_folder_has_no_lines(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"one\n")
    tail = FileTail(path)
    tail.lines()
    path.unlink()
    assert tail.lines() == []
    path.mkdir()
    assert tail.lines() == []
