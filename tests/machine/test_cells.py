"""What belongs to one cell: real processes, and control groups as the kernel writes them."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from machine import processes
from machine.cell_readers import ContainerGroup, ProcessTree
from manifests.telemetry_series import CellSample
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
    """A container's control group of version 1 or 2 as it is seen from inside."""
    root, membership = tmp_path / "cgroup", tmp_path / "membership"
    name = f"docker/{ID}"
    lines = f"5:cpu,cpuacct:/{name}\n4:memory:/{name}\n0::/\n" if version == 1 else "0::/\n"
    membership.parent.mkdir(exist_ok=True)
    membership.write_text(lines)
    if version == 2:
        files = {
            "cpu.stat": "usage_usec 2000000\nuser_usec 1\n", "memory.current": "5000000\n",
            "memory.stat": "anon 1\ninactive_file 2000000\n",
        }  # fmt: skip
        folders = dict.fromkeys(files, root)
    else:  # the mount is the group itself, whatever it is called outside
        files = {
            "cpuacct.usage": "2000000000\n", "memory.usage_in_bytes": "5000000\n",
            "memory.stat": "cache 9\ntotal_inactive_file 2000000\n",
        }  # fmt: skip
        folders = dict.fromkeys(files, root / "memory")
        folders["cpuacct.usage"] = root / "cpuacct"
    for key, text in files.items():
        folders[key].mkdir(parents=True, exist_ok=True)
        (folders[key] / key).write_text(text)
    return root, membership


@pytest.mark.parametrize("version", [1, 2])
def test_a_containers_control_group(tmp_path: Path, version: int) -> None:
    clock = Clock(10.0)
    root, membership = group(tmp_path, version)
    own = own_processes()
    reader = ContainerGroup(ProcessTree(os.getpid(), clock=clock), root, membership, clock)
    assert reader.read() == (
        CellSample(memory_bytes=3_000_000, processes=own),
        {"cpu_percent": "counted from the second reading on"},
    )
    clock.now_s = 12.0
    if version == 1:
        next(root.rglob("cpuacct.usage")).write_text("5000000000\n")
    else:
        next(root.rglob("cpu.stat")).write_text("usage_usec 5000000\n")
    found = reader.read()
    assert found == (CellSample(cpu_percent=150.0, memory_bytes=3_000_000, processes=own), {})
    assert os.getpid() in reader.pids()
    clock.now_s = 12.01
    assert reader.read().reasons == {"cpu_percent": "too soon after the reading before"}


def test_what_the_group_does_not_tell_is_told_by_the_processes(tmp_path: Path) -> None:
    reader = ContainerGroup(ProcessTree(os.getpid()), tmp_path, tmp_path / "none")
    found = reader.read()
    assert found.sample.memory_bytes is not None and found.sample.memory_bytes > 10_000_000
    assert found.reasons == {"cpu_percent": "counted from the second reading on"}


def test_a_cell_that_has_ended_in_a_container_that_goes_on(tmp_path: Path) -> None:
    root, membership = group(tmp_path, 2)
    reader = ContainerGroup(ProcessTree(2**22 + 1), root, membership)
    assert reader.read() == (CellSample(), {"": "the cell has ended"})


def test_a_process_number_that_somebody_else_has_by_now_is_not_the_cells(tmp_path: Path) -> None:
    proc = tmp_path / "proc"

    def is_there(pid: int, parent: int, started: int, name: str = "a) b (c") -> None:
        (proc / str(pid)).mkdir(parents=True, exist_ok=True)
        fields = f"S {parent} 7 7 0 -1 0 0 0 0 0 100 50 0 0 20 0 1 0 {started} 0 10"
        (proc / str(pid) / "stat").write_text(f"{pid} ({name}) {fields}\n")

    is_there(7, 1, 100)
    is_there(8, 7, 200)
    clock = Clock(10.0)
    tree = ProcessTree(7, str(proc), clock)
    assert tree.read().sample.processes == 2
    is_there(8, 1, 300, "somebody else")
    clock.now_s = 11.0
    assert tree.read().sample.processes == 1
    assert tree.pids() == {7}


@pytest.mark.parametrize("text", ["", "7 (x", "7 (x) S 1", "7 (x) S a b c", "\0"])
def test_a_process_that_reads_otherwise_is_left_out(tmp_path: Path, text: str) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "stat").write_text(text)
    assert processes.process(7, str(tmp_path)) is None
    assert processes.processes(str(tmp_path)) == []


def test_this_process_is_as_others_see_it() -> None:
    found = processes.process(os.getpid())
    assert found is not None
    assert (found.parent, found.group) == (os.getppid(), os.getpgrp())
    assert found.resident_bytes == pytest.approx(psutil.Process().memory_info().rss, rel=0.1)
    assert not found.stopped and not found.ended
