"""Reading what belongs to one cell: its tree of processes, and its container's control group."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Callable, Dict, FrozenSet, NamedTuple, Optional, Tuple

import msgspec

from machine import cgroup, processes
from machine.host import SHORTEST_S, TOO_SOON, WARMING_UP
from machine.processes import Process
from manifests.telemetry_series import CellSample

ENDED = "the cell has ended"
TREE_EVERY_S = 2.0
_TREE_SHARE = 0.002  # of a core at most, for looking through the machine's processes


class CellReadings(NamedTuple):
    """A sample, and why readings are missing, by the field's name (empty: all of them)."""

    sample: CellSample
    reasons: Dict[str, str]


class ProcessTree:
    """A process and everything below it.

    What is below is looked for every two seconds; less often where there are so many processes
    that looking takes long.
    """

    source = "process tree (resident memory)"

    def __init__(
        self, pid: int, proc: str = processes.PROC, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pid = pid
        self._proc = proc
        self._clock = clock
        self._tree: Dict[int, Process] = {}
        self._look_at = float("-inf")
        self._seconds: Dict[int, float] = {}
        self._read_at: Optional[float] = None

    def pids(self) -> FrozenSet[int]:
        """The process ids that belong to it now; takes milliseconds."""
        self._look()
        return frozenset(self._tree)

    def read(self) -> CellReadings:
        """One sample; after the cell's end every reading is missing."""
        now = self._clock()
        if now >= self._look_at:
            self._look()
        here = self._here()
        if not here:
            return CellReadings(CellSample(), {"": ENDED})
        sample = CellSample(
            memory_bytes=sum(one.resident_bytes for one in here),
            processes=len(here),
            stopped=all(one.stopped for one in here),
        )
        begin = self._read_at
        if begin is not None and now - begin < SHORTEST_S:
            return CellReadings(sample, {"cpu_percent": TOO_SOON})
        # A process that is new here counts from now on: when it began is not known.
        used = sum(one.cpu_s - self._seconds.get(one.pid, one.cpu_s) for one in here)
        self._read_at, self._seconds = now, {one.pid: one.cpu_s for one in here}
        if begin is None:
            return CellReadings(sample, {"cpu_percent": WARMING_UP})
        return CellReadings(_with_percent(sample, used / (now - begin)), {})

    def _look(self) -> None:
        begin = self._clock()
        self._tree = {one.pid: one for one in processes.tree(self._pid, self._proc)}
        end = self._clock()
        self._look_at = end + max(TREE_EVERY_S, (end - begin) / _TREE_SHARE)

    def _here(self) -> Tuple[Process, ...]:
        """Those of the tree that run; a number that somebody else has by now is not one of it."""
        now = (processes.process(pid, self._proc) for pid in self._tree)
        return tuple(
            one
            for one in now
            if one and not one.ended and one.started == self._tree[one.pid].started
        )


class ContainerGroup:
    """A cell seen from inside its container: processor time and memory are the container's.

    The launcher and the sampler, which run beside the cell, are in the same group.
    """

    source = "container cgroup (memory without reclaimable file cache)"

    def __init__(
        self,
        tree: ProcessTree,
        root: Path = cgroup.ROOT,
        membership: Path = cgroup.SELF,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tree = tree
        self._root, self._membership = root, membership
        self._clock = clock
        self._before: Optional[Tuple[float, float]] = None

    def pids(self) -> FrozenSet[int]:
        return self._tree.pids()

    def read(self) -> CellReadings:
        """What the group can't tell is the tree's."""
        found = self._tree.read()
        if found.reasons.get("") == ENDED:
            return found
        memory = cgroup.memory_in_use_bytes(self._root, self._membership)
        if memory is not None:
            sample = msgspec.structs.replace(found.sample, memory_bytes=memory)
            found = found._replace(sample=sample)
        seconds = cgroup.cpu_seconds(self._root, self._membership)
        return found if seconds is None else self._timed(found.sample, seconds)

    def _timed(self, sample: CellSample, seconds: float) -> CellReadings:
        now, before = self._clock(), self._before
        sample = msgspec.structs.replace(sample, cpu_percent=None)
        if before is not None and now - before[0] < SHORTEST_S:
            return CellReadings(sample, {"cpu_percent": TOO_SOON})
        self._before = (now, seconds)
        if before is None:
            return CellReadings(sample, {"cpu_percent": WARMING_UP})
        return CellReadings(_with_percent(sample, (seconds - before[1]) / (now - before[0])), {})


def _with_percent(sample: CellSample, cores: float) -> CellSample:
    return msgspec.structs.replace(sample, cpu_percent=round(100 * max(0.0, cores), 1))
