"""What the kernel's control groups say: use, limits, kills for lack of memory, quotas that bit.

Inside a container the group's own files lie at the root of the mount; outside, in the folder that
/proc/PID/cgroup names, where each folder above it limits as well. Sources: the kernel's
cgroup-v2.rst (memory.current, memory.events, memory.max, memory.stat, cpu.max, cpu.stat),
cgroup-v1/memory.rst (memory.oom_control, memory.limit_in_bytes), cgroup-v1/cpuacct.rst and
scheduler/sched-bwc.rst (cpu.cfs_quota_us).
"""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

ROOT = Path("/sys/fs/cgroup")
SELF = Path("/proc/self/cgroup")
_UNLIMITED_BYTES = 1 << 60
"""Version 1 writes the largest number of pages for no limit."""


class _Kills(NamedTuple):
    """The two counters at one moment."""

    group: Optional[int]
    machine: Optional[int]


class MemoryKills:
    """Kills for lack of memory since now: in our control group, or on the machine.

    Slurm, systemd and containers hold whatever they start to a group's limit. What else runs in
    the group is counted as well, so this says something only of a cell that was killed.
    """

    def __init__(self) -> None:
        self._begin = self._before = self._latest = _Kills(oom_kills(), machine_oom_kills())

    def look(self) -> None:
        """Called now and then: kills before the look before the last one are not recent."""
        self._before, self._latest = self._latest, _Kills(oom_kills(), machine_oom_kills())

    def since(self, recent: bool = False) -> str:
        """Where there were any, since the beginning or of late; empty for none."""
        then, now = (
            self._before if recent else self._begin,
            _Kills(oom_kills(), machine_oom_kills()),
        )
        if _more(then.group, now.group):
            limit = memory_limit_bytes()
            size = f" of {limit / 2**20:,.0f} MiB" if limit else ""
            return f"its control group ran out of its memory{size}"
        if then.group is None and _more(then.machine, now.machine):
            return "the machine ran out of memory"
        return ""


def _more(before: Optional[int], after: Optional[int]) -> bool:
    return before is not None and after is not None and after > before


class Throttling(NamedTuple):
    """Periods in which a processor quota stopped the group, and for how long."""

    periods: int
    seconds: float


def oom_kills(root: Path = ROOT, membership: Path = SELF) -> Optional[int]:
    """Processes of this control group killed for lack of memory; None where it can't be read."""
    for folder, version in _nearest(_groups(root, membership, "memory")):
        name = "memory.events" if version == 2 else "memory.oom_control"
        kills = _table(folder / name).get("oom_kill")
        if kills is not None:
            return kills
    return None


def machine_oom_kills(path: Path = Path("/proc/vmstat")) -> Optional[int]:
    """Processes of the whole machine killed for lack of memory, in any group or none."""
    return _table(path).get("oom_kill")


def quota_cpus(root: Path = ROOT, membership: Path = SELF) -> Optional[float]:
    """How many processors' time the group may use, by the narrowest quota above it; None: all."""
    found = [quota for quota, _ in _quotas(root, membership)]
    return min(found) if found else None


def throttling(root: Path = ROOT, membership: Path = SELF) -> Optional[Throttling]:
    """What quotas have cost so far, at every level that has one; None where there is none."""
    stats = [_table(folder / "cpu.stat") for _, folder in _quotas(root, membership)]
    if not stats:
        return None
    return Throttling(
        sum(stat.get("nr_throttled", 0) for stat in stats),
        sum(
            stat.get("throttled_usec", 0) / 1e6 + stat.get("throttled_time", 0) / 1e9
            for stat in stats
        ),
    )


def memory_limit_bytes(root: Path = ROOT, membership: Path = SELF) -> Optional[int]:
    """The narrowest limit of memory at or above the group; None where there is none."""
    found = []
    for folder, version in _groups(root, membership, "memory"):
        text = _text(folder / ("memory.max" if version == 2 else "memory.limit_in_bytes"))
        if text.isdigit() and int(text) < _UNLIMITED_BYTES:
            found.append(int(text))
    return min(found) if found else None


def cpu_seconds(root: Path = ROOT, membership: Path = SELF) -> Optional[float]:
    """Processor time that the group has used; None where it can't be read."""
    for folder, version in _nearest(_groups(root, membership, "cpuacct")):
        if version == 1 and _text(folder / "cpuacct.usage").isdigit():
            return int(_text(folder / "cpuacct.usage")) / 1e9
        used = _table(folder / "cpu.stat").get("usage_usec") if version == 2 else None
        if used is not None:
            return used / 1e6
    return None


def memory_in_use_bytes(root: Path = ROOT, membership: Path = SELF) -> Optional[int]:
    """Without the file cache that the group can give back; None where it can't be read."""
    for folder, version in _nearest(_groups(root, membership, "memory")):
        name = "memory.current" if version == 2 else "memory.usage_in_bytes"
        used = _text(folder / name)
        if used.isdigit():
            cache = "inactive_file" if version == 2 else "total_inactive_file"
            return max(0, int(used) - _table(folder / "memory.stat").get(cache, 0))
    return None


def _quotas(root: Path, membership: Path) -> Iterator[Tuple[float, Path]]:
    """Processors allowed, and the folder that says so."""
    for folder, version in _groups(root, membership, "cpu"):
        if version == 2:
            quota, _, period = _text(folder / "cpu.max").partition(" ")
        else:
            quota = _text(folder / "cpu.cfs_quota_us")
            period = _text(folder / "cpu.cfs_period_us")
        if quota.isdigit() and period.isdigit() and int(period):
            yield int(quota) / int(period), folder


def _nearest(groups: Iterator[Tuple[Path, int]]) -> List[Tuple[Path, int]]:
    """Of each version the group itself and the mount's root, where a container finds its own."""
    found: Dict[int, List[Path]] = {}
    for folder, version in groups:
        found.setdefault(version, []).append(folder)
    return [
        (folder, version)
        for version, at in found.items()
        for folder in dict.fromkeys([at[0], at[-1]])
    ]


def _groups(root: Path, membership: Path, controller: str) -> Iterator[Tuple[Path, int]]:
    """The group and every one above it, up to the root of the mount, with the version."""
    try:
        lines = membership.read_text(errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        hierarchy, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if hierarchy == "0":
            yield from ((folder, 2) for folder in _upwards(root, group))
        elif controller in controllers.split(","):
            yield from (
                (folder, 1) for folder in _upwards(_mount(root, controller, controllers), group)
            )


def _mount(root: Path, controller: str, controllers: str) -> Path:
    """Controllers that are mounted together are found by each of their names, as a rule."""
    return root / (controller if (root / controller).exists() else controllers)


def _upwards(mount: Path, group: str) -> Iterator[Path]:
    inside = PurePosixPath(group.lstrip("/"))
    for level in (inside, *inside.parents):
        if ".." not in level.parts:
            yield mount / level


def _table(path: Path) -> Dict[str, int]:
    """Lines of a name and a number."""
    pairs = (line.split(" ") for line in _text(path).splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace").strip()
    except OSError:
        return ""
