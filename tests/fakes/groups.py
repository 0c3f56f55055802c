"""Control groups that the kernel really has, made for a test and gone after it."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from machine.cgroup import ROOT


class Group:
    """A group of one controller, of version 1 or 2."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, value: str) -> None:
        (self.folder / name).write_text(value)

    def inside(self, command: Sequence[str]) -> list[str]:
        """The command, run in the group; so is everything that it starts."""
        script = f'echo $$ > {self.folder}/cgroup.procs && exec "$@"'
        return ["sh", "-c", script, "sh", *command]


@contextlib.contextmanager
def group(controller: str) -> Iterator[Group]:
    """Skips the test where none can be made."""
    mount = ROOT / controller if (ROOT / controller).is_dir() else ROOT
    folder = mount / f"repliquant-test-{os.getpid()}"
    try:
        if mount is ROOT:
            (ROOT / "cgroup.subtree_control").write_text(f"+{controller}")
        folder.mkdir()
    except OSError as error:
        pytest.skip(f"NOT TESTED, no control group can be made: {error}")
    try:
        yield Group(folder)
    finally:
        end = time.monotonic() + 120
        while folder.exists():
            with contextlib.suppress(OSError):
                folder.rmdir()
            assert time.monotonic() < end, f"{folder} is still in use"
            time.sleep(0.05)


def limit_memory(made: Group, size_bytes: int) -> None:
    """Swap included, where the kernel counts it."""
    if (made.folder / "memory.max").exists():
        made.write("memory.max", str(size_bytes))
        with contextlib.suppress(OSError):
            made.write("memory.swap.max", "0")
        return
    made.write("memory.limit_in_bytes", str(size_bytes))
    with contextlib.suppress(OSError):
        made.write("memory.memsw.limit_in_bytes", str(size_bytes))


def limit_cpus(made: Group, cpus: float) -> None:
    """A quota of so many processors' time."""
    if (made.folder / "cpu.max").exists():
        made.write("cpu.max", f"{int(cpus * 100_000)} 100000")
    else:
        made.write("cpu.cfs_quota_us", str(int(cpus * 100_000)))
