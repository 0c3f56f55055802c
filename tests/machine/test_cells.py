"""What belongs to one cell: real processes, and control groups as the kernel writes them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from machine.processes import ControlGroup, ProcessTree, Unreadable, reader_of
from manifests.telemetry_series import CellSample
from orchestrator.engines.base import Where
from tests.fakes.clock import Clock
from tests.machine.processes import own_processes

PARENT = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", "bytearray(50_000_000); print(1); input()"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
child.stdout.readline()
print(child.pid, flush=True)
while True:
    pass
"""
ID = "543ef49625a8"


def test_a_process_with_its_children() -> None:
    process = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        tree = ProcessTree(process.pid)
        first = tree.read()
        assert first.reasons == {"cpu_percent": "counted from the second reading on"}
        time.sleep(0.5)
        found = tree.read().sample
        assert found.processes == 2
        assert tree.pids() == {process.pid, child}
        assert found.cpu_percent is not None and 2.0 < found.cpu_percent < 150.0
        assert found.memory_bytes is not None and found.memory_bytes > 15_000_000
    finally:
        process.kill()
        process.wait()
        process.stdout.close()  # type: ignore[union-attr]
    tree._tree.pop(child, None)
    assert tree.read() == (CellSample(), {"": "the cell has ended"})


def test_a_process_that_never_was() -> None:
    assert ProcessTree(2**22 + 1).read() == (CellSample(), {"": "the cell has ended"})


def test_a_machine_with_many_processes_is_searched_less_often() -> None:
    clock = Clock(step_s=0.05)  # each look seems to take 50 ms
    tree = ProcessTree(os.getpid(), clock=clock)
    tree.read()
    assert tree._look_at - clock.now_s == pytest.approx(25.0, abs=0.1)


def test_a_reading_too_soon_after_another_has_no_percentage_and_spoils_none() -> None:
    clock = Clock(10.0)
    tree = ProcessTree(os.getpid(), clock=clock)
    tree.read()
    clock.now_s = 11.0
    assert tree.read().sample.cpu_percent is not None
    clock.now_s = 11.01
    soon = tree.read()
    assert (soon.sample.cpu_percent, soon.sample.processes) == (None, own_processes())
    assert soon.reasons == {"cpu_percent": "too soon after the reading before"}
    assert tree._read_at == 11.0


def group(tmp_path: Path, version: int) -> tuple[Path, Path]:
    """A container's control group of version 1 or 2, and a /proc with process 12 in it."""
    root, proc = tmp_path / "cgroup", tmp_path / "proc"
    (proc / "12").mkdir(parents=True)
    name = f"docker/{ID}" if version == 1 else f"system.slice/docker-{ID}.scope"
    lines = f"5:cpu,cpuacct:/{name}\n4:memory:/{name}\n0::/\n" if version == 1 else f"0::/{name}\n"
    (proc / "12" / "cgroup").write_text(lines)
    if version == 2:
        files = {
            "cpu.stat": "usage_usec 2000000\nuser_usec 1\n", "memory.current": "5000000\n",
            "memory.stat": "anon 1\ninactive_file 2000000\n", "cgroup.procs": "12\n15\n",
        }  # fmt: skip
        folders = dict.fromkeys(files, root / name)
    else:
        files = {
            "cpuacct.usage": "2000000000\n", "memory.usage_in_bytes": "5000000\n",
            "memory.stat": "cache 9\ntotal_inactive_file 2000000\n", "cgroup.procs": "12\n15\n",
        }  # fmt: skip
        folders = dict.fromkeys(files, root / "memory" / name)
        folders["cpuacct.usage"] = root / "cpuacct" / name
    for key, text in files.items():
        folders[key].mkdir(parents=True, exist_ok=True)
        (folders[key] / key).write_text(text)
    return root, proc


@pytest.mark.parametrize("version", [1, 2])
def test_a_containers_control_group(tmp_path: Path, version: int) -> None:
    clock = Clock(10.0)
    root, proc = group(tmp_path, version)
    reader = ControlGroup(12, ID, root, proc, clock)
    assert reader.read() == (
        CellSample(memory_bytes=3_000_000, processes=2),
        {"cpu_percent": "counted from the second reading on"},
    )
    clock.now_s = 12.0
    if version == 1:
        next(root.rglob("cpuacct.usage")).write_text("5000000000\n")
    else:
        next(root.rglob("cpu.stat")).write_text("usage_usec 5000000\n")
    found = reader.read()
    assert found == (CellSample(cpu_percent=150.0, memory_bytes=3_000_000, processes=2), {})
    assert reader.pids() == {12, 15}
    next(root.rglob("memory.stat")).unlink()
    assert reader.read() == (CellSample(), {"": "the cell has ended"})


@pytest.mark.parametrize("version", [1, 2])
def test_a_process_of_another_namespace_is_not_taken_for_the_container(
    tmp_path: Path, version: int
) -> None:
    root, proc = group(tmp_path, version)
    reader = ControlGroup(12, "another-id", root, proc)
    why = "the control group of its container can't be seen from here"
    assert reader.read() == (CellSample(), {"": why})
    assert reader.pids() is None
    assert ControlGroup(13, ID, root, proc).read().reasons == {"": why}


def test_the_reader_goes_by_where_the_cell_runs() -> None:
    assert isinstance(reader_of(Where(os.getpid())), ProcessTree)
    assert isinstance(reader_of(Where(os.getpid(), container=ID)), ControlGroup)
    nowhere = reader_of(Where(None, reason="not told"))
    assert isinstance(nowhere, Unreadable)
    assert nowhere.read() == (CellSample(), {"": "not told"})
