"""How busy a machine is with others' work, who they are, and waiting until it is quiet.

A measurement beside others' work is one of theirs too. Shares are of all processors together,
0 ... 1; sources: the kernel's filesystems/proc.rst (stat) and accounting/psi.rst.
"""

from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional, Protocol, Set, Tuple

from machine import processes

WINDOW_S = 1.0
ABOVE_BASELINE = 0.05
MOST_BASELINE = 0.05
"""What a machine does of its own; more than that is work."""

STEAL_LIMIT = 0.02
PRESSURE_LIMIT = 0.10
_LEAST_TICKS = 10
"""Over less the kernel's counters say nothing."""

_NAMED = 3
_TELLING_CORES = 0.05


class Busy(NamedTuple):
    """What others took of the processors in a stretch of time.

    ``steal`` is what the hypervisor gave to others, ``pressure`` the share of the time in which
    something waited for a processor (None: the kernel doesn't tell). ``who`` are the names of the
    busiest processes and how many processors each had.
    """

    others: float
    steal: float
    pressure: Optional[float]
    who: List[Tuple[str, float]]


class Waited(NamedTuple):
    """``busy`` says what was still busy at the limit; None: it is quiet, or nobody can tell."""

    seconds: float
    busy: Optional[Busy]


class Looks(Protocol):
    """Says how busy the machine was since it last did."""

    def look(self) -> Optional[Busy]: ...


class _Moment(NamedTuple):
    """Counters; ``others`` are processes that aren't ours, ``own_s`` our processor time."""

    at_s: float
    busy: int
    steal: int
    every: int
    pressure_us: Optional[int]
    others: Dict[Tuple[int, int], Tuple[str, float]]
    own_s: float


class Watch:
    """Looks at a machine again and again; what belongs to process ``ours`` is not others' work."""

    def __init__(
        self,
        root: Path = Path("/"),
        clock: Callable[[], float] = time.monotonic,
        ours: Optional[int] = None,
    ) -> None:
        self._root = root
        self._clock = clock
        self._ours = os.getpid() if ours is None else ours
        self._before = self._moment()

    def look(self) -> Optional[Busy]:
        """Since the look before, or the beginning; None too soon, or where nothing is told."""
        before, now = self._before, self._moment()
        self._before = now
        if before is None or now is None or now.every - before.every < _LEAST_TICKS:
            return None
        every, seconds = now.every - before.every, max(now.at_s - before.at_s, 1e-9)
        own = (now.own_s - before.own_s) / processes.TICK_S
        steal = (now.steal - before.steal) / every
        pressure = None
        if before.pressure_us is not None and now.pressure_us is not None:
            pressure = min(1.0, (now.pressure_us - before.pressure_us) / 1e6 / seconds)
        others = max(0.0, now.busy - before.busy - max(0.0, own)) / every
        return Busy(others, steal, pressure, _busiest(before, now, seconds))

    def _moment(self) -> Optional[_Moment]:
        try:
            line = (self._root / "proc/stat").read_text().partition("\n")[0]
            ticks = [int(field) for field in line.split()[1:9]]
            idle, steal = ticks[3] + ticks[4], ticks[7]
        except (OSError, ValueError, IndexError):
            return None
        proc = str(self._root / "proc")
        found = processes.processes(proc)
        tree = _tree(self._ours, found)
        others = {
            (one.pid, one.started): (one.name, one.cpu_s) for one in found if one.pid not in tree
        }
        own_s = sum(one.cpu_s for one in found if one.pid in tree)
        every = sum(ticks)
        return _Moment(
            self._clock(), every - idle - steal, steal, every, _pressure_us(self._root), others,
            own_s,
        )  # fmt: skip


def wait_until_quiet(
    limit_s: float,
    tell: Callable[[Busy, float], None] = lambda busy, waited_s: None,
    watch: Optional[Looks] = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Waited:
    """Until others leave the processors alone for a second, or for ``limit_s`` at most.

    What they took at the least meanwhile is taken for the machine's own doings, up to a limit.

    ``tell`` hears after each busy second who is busy and how long it has been; what it raises ends
    the waiting. With a limit of 0 nothing is looked at.
    """
    begin = clock()
    if limit_s <= 0:
        return Waited(0.0, None)
    watch = watch or Watch()
    baseline = 0.0
    while True:
        sleep(min(WINDOW_S, max(0.25, limit_s - (clock() - begin))))
        busy, waited_s = watch.look(), clock() - begin
        if busy is None or is_quiet(busy, baseline):
            return Waited(waited_s, None)
        baseline = min(baseline or 1.0, busy.others)
        if waited_s >= limit_s:
            return Waited(waited_s, busy)
        tell(busy, waited_s)


def is_quiet(busy: Busy, baseline: float = 0.0) -> bool:
    """Whether it may be measured now; ``baseline`` is others' share when nobody works."""
    most = min(baseline, MOST_BASELINE) + ABOVE_BASELINE
    return not (_too_many(busy, most) or _stolen(busy) or _waiting(busy))


def _too_many(busy: Busy, most: float) -> bool:
    return busy.others > most


def _stolen(busy: Busy) -> bool:
    return busy.steal > STEAL_LIMIT


def _waiting(busy: Busy) -> bool:
    return busy.pressure is not None and busy.pressure > PRESSURE_LIMIT


def busy_words(busy: Busy) -> str:
    """What keeps a machine from being quiet, for a sentence; names are as the processes chose."""
    if _too_many(busy, ABOVE_BASELINE):
        share = f"others take {busy.others:.0%} of the processors".replace("%", " %")
        if not busy.who:
            return f"{share}, by processes that can't be seen from here"
        named = ", ".join(f"{name} {cores:.1f}" for name, cores in busy.who)
        return f"{share}, among them {named} of a core"
    if _stolen(busy):
        return f"the hypervisor takes {100 * busy.steal:.0f} % of the processors"
    return f"processes wait for a processor {100 * (busy.pressure or 0.0):.0f} % of the time"


def _busiest(before: _Moment, now: _Moment, seconds: float) -> List[Tuple[str, float]]:
    """By name, since a compiler is many processes; what is hardly there is left out."""
    cores: Dict[str, float] = {}
    for key, (name, used_s) in now.others.items():
        since = used_s - before.others.get(key, ("", 0.0))[1]
        cores[name] = cores.get(name, 0.0) + since / seconds
    ranked = sorted(cores.items(), key=lambda item: -item[1])[:_NAMED]
    return [(name, round(share, 2)) for name, share in ranked if share >= _TELLING_CORES]


def _tree(root: int, found: List[processes.Process]) -> Set[int]:
    """The numbers of a process and of everything below it."""
    children: Dict[int, List[int]] = {}
    for one in found:
        children.setdefault(one.parent, []).append(one.pid)
    tree, waiting = {root}, [root]
    while waiting:
        for child in children.get(waiting.pop(), []):
            if child not in tree:
                tree.add(child)
                waiting.append(child)
    return tree


def _pressure_us(root: Path) -> Optional[int]:
    """Time in which something waited for a processor, since the machine started."""
    try:
        text = (root / "proc/pressure/cpu").read_text()
    except OSError:
        return None
    found = re.search(r"^some .*total=(\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else None
