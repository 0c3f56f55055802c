"""Reading what belongs to one cell: its tree of processes, or its container's control group."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from manifests.telemetry_series import CellSample
from orchestrator.engines import Where
from orchestrator.telemetry.host import (
    MISSING_PACKAGE,
    SHORTEST_S,
    TOO_SOON,
    WARMING_UP,
    load_psutil,
)

ENDED = "the cell has ended"
TREE_EVERY_S = 2.0
_TREE_SHARE = 0.002  # of a core at most, for looking through the machine's processes
_CGROUPS = Path("/sys/fs/cgroup")


class CellReadings(NamedTuple):
    """A sample, and why readings are missing, by the field's name (empty: all of them)."""

    sample: CellSample
    reasons: dict[str, str]


class CellReader(Protocol):
    """Reads one running cell."""

    source: str

    def read(self) -> CellReadings:
        """One sample; after the cell's end every reading is missing."""

    def pids(self) -> frozenset[int] | None:
        """The process ids that belong to it now, None when nobody knows; takes milliseconds."""


def reader_of(where: Where) -> CellReader:
    """The reader for a started cell."""
    if where.pid is None:
        return Unreadable(where.reason)
    if not where.container:
        return ProcessTree(where.pid)
    return ControlGroup(where.pid, where.container)


class Unreadable:
    """A cell that runs where we can't look."""

    def __init__(self, reason: str) -> None:
        self.source = ""
        self._reason = reason

    def read(self) -> CellReadings:
        return CellReadings(CellSample(), {"": self._reason})

    def pids(self) -> frozenset[int] | None:
        return None


class ProcessTree:
    """A process and everything below it.

    What is below is looked for every two seconds; less often where there are so many processes
    that looking takes long.
    """

    source = "process tree (resident memory)"

    def __init__(
        self, pid: int, library: Any = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pid = pid
        self._psutil = library or load_psutil()
        self._clock = clock
        self._tree: dict[int, Any] = {}
        self._look_at = float("-inf")
        self._seconds: dict[int, float] = {}
        self._read_at: float | None = None

    def pids(self) -> frozenset[int] | None:
        if self._psutil is None:
            return None
        self._look()
        return frozenset(self._tree)

    def read(self) -> CellReadings:
        if self._psutil is None:
            return CellReadings(CellSample(), {"": MISSING_PACKAGE})
        now = self._clock()
        if now >= self._look_at:
            self._look()
        memory, seconds = self._sum()
        if not seconds:
            return CellReadings(CellSample(), {"": ENDED})
        stopped = all(_stopped(pid) for pid in seconds)
        sample = CellSample(memory_bytes=memory, processes=len(seconds), stopped=stopped)
        begin = self._read_at
        if begin is not None and now - begin < SHORTEST_S:
            return CellReadings(sample, {"cpu_percent": TOO_SOON})
        # A process that is new here counts from now on: when it began is not known.
        used = sum(value - self._seconds.get(pid, value) for pid, value in seconds.items())
        self._read_at, self._seconds = now, seconds
        if begin is None:
            return CellReadings(sample, {"cpu_percent": WARMING_UP})
        return _with_percent(sample, used / (now - begin))

    def _look(self) -> None:
        begin = self._clock()
        try:
            root = self._tree.get(self._pid) or self._psutil.Process(self._pid)
            below = root.children(recursive=True)
        except (self._psutil.Error, OSError):
            return
        self._tree = {
            process.pid: self._tree.get(process.pid, process) for process in (root, *below)
        }
        end = self._clock()
        self._look_at = end + max(TREE_EVERY_S, (end - begin) / _TREE_SHARE)

    def _sum(self) -> tuple[int, dict[int, float]]:
        """Resident bytes of all, and the processor seconds of each."""
        memory, seconds = 0, {}
        for pid, process in self._tree.items():
            try:
                times = process.cpu_times()
                memory += process.memory_info().rss
            except (self._psutil.Error, OSError):
                continue
            seconds[pid] = times.user + times.system
        return memory, seconds


class ControlGroup:
    """The control group of a container, version 2 or 1.

    Source: the kernel's cgroup-v2.rst (cpu.stat, memory.current, memory.stat) and
    cgroup-v1/{cpuacct,memory}.rst.
    """

    source = "container cgroup (memory without reclaimable file cache)"

    def __init__(
        self,
        pid: int,
        container: str,
        root: Path = _CGROUPS,
        proc: Path = Path("/proc"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._before: tuple[float, float] | None = None
        self._files: _Files | None = None
        self._reason = "the control group of its container can't be seen from here"
        for files in _candidates(pid, container, root, proc):
            if files.cpu.exists() and files.memory.exists():
                self._files = files
                break

    def pids(self) -> frozenset[int] | None:
        if self._files is None:
            return None
        try:
            return frozenset(map(int, self._files.processes.read_text().split()))
        except (OSError, ValueError):
            return None

    def read(self) -> CellReadings:
        if self._files is None:
            return CellReadings(CellSample(), {"": self._reason})
        now = self._clock()
        try:
            seconds = self._files.cpu_seconds()
            memory = self._files.memory_bytes()
        except (OSError, ValueError, KeyError):
            return CellReadings(CellSample(), {"": ENDED})
        pids = self.pids() or frozenset()
        stopped = bool(pids) and (self._files.frozen() or all(_stopped(pid) for pid in pids))
        sample = CellSample(memory_bytes=memory, processes=len(pids), stopped=stopped)
        before = self._before
        if before is not None and now - before[0] < SHORTEST_S:
            return CellReadings(sample, {"cpu_percent": TOO_SOON})
        self._before = (now, seconds)
        if before is None:
            return CellReadings(sample, {"cpu_percent": WARMING_UP})
        return _with_percent(sample, (seconds - before[1]) / (now - before[0]))


def _with_percent(sample: CellSample, cores: float) -> CellReadings:
    percent = round(100 * max(0.0, cores), 1)
    return CellReadings(msgspec.structs.replace(sample, cpu_percent=percent), {})


class _Files(NamedTuple):
    """The files of one control group."""

    cpu: Path
    memory: Path
    statistics: Path
    processes: Path
    version: int
    freezer: Path

    def frozen(self) -> bool:
        """Whether ``docker pause`` or the like holds it, by cgroup.events or freezer.state."""
        try:
            text = self.freezer.read_text()
        except OSError:
            return False
        return "frozen 1" in text.splitlines() or text.strip() == "FROZEN"

    def cpu_seconds(self) -> float:
        if self.version == 1:
            return int(self.cpu.read_text()) / 1e9
        return int(_table(self.cpu)["usage_usec"]) / 1e6

    def memory_bytes(self) -> int:
        key = "inactive_file" if self.version == 2 else "total_inactive_file"
        return max(0, int(self.memory.read_text()) - int(_table(self.statistics).get(key, "0")))


def _candidates(pid: int, container: str, root: Path, proc: Path) -> Iterator[_Files]:
    """Where the files of that process's group lie.

    The group has to bear the container's name: in another namespace of processes that number
    may be anybody's.
    """
    try:
        lines = (proc / str(pid) / "cgroup").read_text().splitlines()
    except OSError:
        return
    groups: dict[str, str] = {}
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if container in group:
            groups.update({name: group.lstrip("/") for name in controllers.split(",")})
    if groups.get(""):
        base = root / groups[""]
        yield _Files(
            base / "cpu.stat", base / "memory.current", base / "memory.stat",
            base / "cgroup.procs", 2, base / "cgroup.events",
        )  # fmt: skip
    if groups.get("cpuacct") and groups.get("memory"):
        base = root / "memory" / groups["memory"]
        yield _Files(
            root / "cpuacct" / groups["cpuacct"] / "cpuacct.usage",
            base / "memory.usage_in_bytes", base / "memory.stat", base / "cgroup.procs", 1,
            root / "freezer" / groups.get("freezer", "") / "freezer.state",
        )  # fmt: skip


def _stopped(pid: int) -> bool:
    """Whether a signal stopped it (state T); one that is traced, or has ended, is not stopped."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return False
    return text.rpartition(")")[2].split()[:1] == ["T"]


def _table(path: Path) -> dict[str, str]:
    """Lines of a name and a number."""
    return dict(line.split(" ", 1) for line in path.read_text().splitlines())
