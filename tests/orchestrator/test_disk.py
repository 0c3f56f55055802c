"""A full disk and a read-only folder: one message, the next step, nothing finished is lost."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from manifests.codec import read_manifest
from tests.conftest import Workshop

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]


class Disk:
    """A small file system in memory, mounted at ``folder``."""

    def __init__(self, folder: Path, size: str) -> None:
        self.folder = folder
        folder.mkdir()
        done = _mount("-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder))
        if done.returncode:
            pytest.skip(f"mounting a file system is not permitted here: {done.stderr.strip()}")

    def fill(self) -> None:
        with open(self.folder / "filler", "wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def free(self) -> None:
        (self.folder / "filler").unlink()

    def make_read_only(self) -> None:
        assert _mount("-o", "remount,ro", str(self.folder)).returncode == 0


def _mount(*arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return subprocess.CompletedProcess([], 127, "", "no mount command")


@pytest.fixture
def disk(workshop: Workshop) -> Iterator[Disk]:
    """The workshop's runs folder on a file system of 300 KiB."""
    made = Disk(workshop.runs, "300k")
    try:
        yield made
    finally:
        subprocess.run(["umount", str(made.folder)], check=True)


def test_a_full_disk_ends_the_run_and_it_goes_on_when_space_is_free(
    workshop: Workshop, disk: Disk
) -> None:
    workshop.run("-k", "alpha and batch_size=1")
    finished = {path: path.read_bytes() for path in workshop.manifests()}
    assert len(finished) == 2
    disk.fill()

    told = workshop.run(status=3).stderr
    folder = workshop.runs / "toy-quick-digits"
    assert told.splitlines()[-1] == (
        f"repliquant: {folder} can't be written to: No space left on device. "
        "Free some space and start again: finished cells are kept"
    )
    assert {path: path.read_bytes() for path in workshop.manifests()} == finished

    disk.free()
    workshop.run()
    assert len(workshop.manifests()) == 6
    assert {read_manifest(path).status for path in workshop.manifests()} == {"ok"}
    for path, data in finished.items():
        assert path.read_bytes() == data


def test_tables_that_cannot_be_written_are_told_the_same_way(finished: Workshop) -> None:
    folder = finished.runs / "toy-quick-digits"
    (folder / "tables.md").unlink()
    (folder / "tables.md").mkdir()
    told = finished.run(status=3).stderr
    assert told.splitlines()[-1] == (
        f"repliquant: {folder} can't be written to: Is a directory. "
        "Fix the cause and run again: finished cells are kept"
    )


def test_a_read_only_folder_is_told_with_the_next_step(workshop: Workshop, disk: Disk) -> None:
    disk.make_read_only()
    told = workshop.run(status=3).stderr
    folder = workshop.runs / "toy-quick-digits"
    assert f"repliquant: {folder} can't be written to: Read-only file system" in told
    assert "Choose another folder with --run" in told
    assert workshop.executed() == []


def test_a_finished_run_on_a_read_only_folder_can_still_be_read(
    workshop: Workshop, disk: Disk
) -> None:
    workshop.run("-k", "alpha and batch_size=1")
    disk.make_read_only()
    folder = str(workshop.runs / "toy-quick-digits")
    assert "2.000 ms" in workshop("table", "toy", folder).stdout
    assert "2 ok" in workshop("status", folder).stdout
    workshop.run(status=3)
