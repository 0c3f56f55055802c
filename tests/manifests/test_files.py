"""A reader sees the old content or the new, whatever happens to the writer."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

import manifests
from manifests.files import write_atomically

ROOT = Path(manifests.__file__).parent.parent
KILLS = 15
CONTENTS = [bytes([letter]) * 200_000 for letter in b"ABCD"]
WRITE_FOR_EVER = """
import itertools, sys
from pathlib import Path
from manifests.files import write_atomically
for letter in itertools.cycle(b"ABCD"):
    write_atomically(Path(sys.argv[1]), bytes([letter]) * 200_000)
    print("written", flush=True)
"""


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_the_new_content_replaces_the_old(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert _names(tmp_path) == ["plan.json"]


def test_others_may_read_what_was_written(tmp_path: Path) -> None:
    write_atomically(tmp_path / "plan.json", b"")
    assert (tmp_path / "plan.json").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("call", ["replace", "fsync", "fchmod"])
def test_a_write_that_fails_leaves_the_old_content(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "plan.json"
    write_atomically(path, b"old")

    def no_space(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, no_space)
    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["plan.json"]


def test_a_write_that_is_interrupted_leaves_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(tmp_path / "plan.json", b"new")
    monkeypatch.undo()
    assert _names(tmp_path) == []


def test_the_data_and_then_the_name_are_made_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "plan.json"
    happened: list[str] = []
    replace, fsync = os.replace, os.fsync

    def note_replace(source: str, target: str) -> None:
        happened.append("rename")
        replace(source, target)

    def note_fsync(descriptor: int) -> None:
        happened.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "replace", note_replace)
    monkeypatch.setattr(os, "fsync", note_fsync)
    write_atomically(path, b"new")
    if os.path.isdir("/proc/self/fd"):
        assert happened == ["file", "rename", "folder"]


def test_a_folder_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "gone" / "plan.json", b"new")
    assert _names(tmp_path) == []


def test_a_folder_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    (tmp_path / "plan.json").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomically(tmp_path / "plan.json", b"new")
    assert _names(tmp_path) == ["plan.json"]


def test_a_writer_killed_at_any_moment_leaves_whole_content(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    moments = random.Random(7)
    for _ in range(KILLS):
        _write_and_kill(path, writes=moments.randint(1, 40), looks=moments.randint(0, 1000))
        assert path.read_bytes() in CONTENTS


def _write_and_kill(path: Path, writes: int, looks: int) -> None:
    """Kill -9 some writes and some looks at the file later, so that it falls anywhere."""
    with subprocess.Popen(
        [sys.executable, "-S", "-c", WRITE_FOR_EVER, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
    ) as writer:
        assert writer.stdout is not None
        for _ in range(writes):
            assert writer.stdout.readline() == b"written\n"
        for _ in range(looks):
            path.exists()
        writer.kill()
