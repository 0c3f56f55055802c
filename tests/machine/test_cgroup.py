"""What the kernel's control groups say about memory, by the files of each kind of system."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import manifests
from machine import cgroup
from runners.failures import Verdict, for_lack_of_memory
from tests.manifests.old_python import python_3_8

V2_EVENTS = "low 0\nhigh 0\nmax 31\noom 4\noom_kill {kills}\noom_group_kill 7\n"
V1_CONTROL = "oom_kill_disable 0\nunder_oom 0\noom_kill {kills}\n"
V1_LINES = """\
12:hugetlb:/docker/0123abcd
11:cpu,cpuacct:/docker/0123abcd
6:memory:/docker/0123abcd
1:name=systemd:/docker/0123abcd
"""
HYBRID_LINES = "7:memory,hugetlb:/user.slice\n1:name=systemd:/user.slice\n0::/user.slice/x.scope\n"


def system(tmp_path: Path, lines: str, files: dict[str, str]) -> int | None:
    """The kills that are read on a system with these files."""
    (tmp_path / "cgroup").write_text(lines)
    for name, text in files.items():
        (tmp_path / "fs" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fs" / name).write_text(text)
    return cgroup.oom_kills(tmp_path / "fs", tmp_path / "cgroup")


@pytest.mark.parametrize(
    ("lines", "files", "kills"),
    [
        # version 2, inside a container: the mount is the group itself
        ("0::/\n", {"memory.events": V2_EVENTS.format(kills=3)}, 3),
        ("0::/\n", {"memory.events": V2_EVENTS.format(kills=0)}, 0),
        # version 2, inside a container that sees the host's names
        ("0::/docker/0123abcd\n", {"memory.events": V2_EVENTS.format(kills=2)}, 2),
        # version 2, on a host
        (
            "0::/user.slice/session-1.scope\n",
            {"user.slice/session-1.scope/memory.events": V2_EVENTS.format(kills=5)},
            5,
        ),
        # version 2, a name above the container's own group
        ("0::/../../other\n", {"memory.events": V2_EVENTS.format(kills=1)}, 1),
        # version 2, on a host whose root group has no such file
        ("0::/\n", {"cgroup.procs": "1\n"}, None),
        # version 1, inside a container
        (V1_LINES, {"memory/memory.oom_control": V1_CONTROL.format(kills=4)}, 4),
        # version 1, on a host
        (
            V1_LINES,
            {
                "memory/memory.oom_control": V1_CONTROL.format(kills=99),
                "memory/docker/0123abcd/memory.oom_control": V1_CONTROL.format(kills=1),
            },
            1,
        ),
        # version 1, a kernel before 4.13
        (V1_LINES, {"memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n"}, None),
        # both versions side by side
        (
            HYBRID_LINES,
            {
                "memory/user.slice/memory.oom_control": V1_CONTROL.format(kills=6),
                "unified/user.slice/x.scope/cgroup.procs": "1\n",
            },
            6,
        ),
        # nothing of all this
        ("", {}, None),
        (V1_LINES.replace("memory", "pids"), {"memory.events": V2_EVENTS.format(kills=1)}, None),
        ("no such format\n\n:\n", {"memory.events": V2_EVENTS.format(kills=1)}, None),
        ("0::/\n", {"memory.events": ""}, None),
        ("0::/\n", {"memory.events": "oom_kill\noom_kill many\n"}, None),
        ("0::/\n", {"memory.events": "\0\xff"}, None),
    ],
)
def test_kills_are_read_where_the_system_keeps_them(
    tmp_path: Path, lines: str, files: dict[str, str], kills: int | None
) -> None:
    assert system(tmp_path, lines, files) == kills


def test_a_system_without_control_groups_says_nothing(tmp_path: Path) -> None:
    assert cgroup.oom_kills(tmp_path, tmp_path / "none") is None


def test_this_system_says_something_or_nothing() -> None:
    kills = cgroup.oom_kills()
    assert kills is None or kills >= 0


@pytest.mark.parametrize(
    ("lines", "files", "cpus", "throttled"),
    [
        ("0::/a/b\n", {"a/b/cpu.max": "50000 100000\n",
                       "a/b/cpu.stat": "usage_usec 9\nnr_throttled 4\nthrottled_usec 2500000\n"},
         0.5, (4, 2.5)),
        ("0::/\n", {"cpu.max": "150000 100000", "cpu.stat": "nr_throttled 0"}, 1.5, (0, 0.0)),
        # the narrowest of all levels counts, and what each of them cost
        ("0::/a/b\n", {"a/b/cpu.max": "200000 100000", "a/b/cpu.stat": "nr_throttled 1",
                       "a/cpu.max": "25000 100000", "a/cpu.stat": "nr_throttled 2"},
         0.25, (3, 0.0)),
        ("0::/a\n", {"a/cpu.max": "max 100000", "a/cpu.stat": "nr_throttled 7"}, None, None),
        ("3:cpu,cpuacct:/g\n", {"cpu,cpuacct/g/cpu.cfs_quota_us": "50000",
                                "cpu,cpuacct/g/cpu.cfs_period_us": "100000",
                                "cpu,cpuacct/g/cpu.stat":
                                "nr_periods 9\nnr_throttled 2\nthrottled_time 1500000000"},
         0.5, (2, 1.5)),
        ("3:cpu:/g\n0::/\n", {"cpu/g/cpu.cfs_quota_us": "-1", "cpu/g/cpu.cfs_period_us": "100000",
                              "cpu/g/cpu.stat": "nr_throttled 2"}, None, None),
        ("0::/../x\n", {"cpu.max": "10000 100000", "cpu.stat": "nr_throttled 5"}, 0.1, (5, 0.0)),
        ("0::/\n", {"cpu.max": "nonsense"}, None, None),
        ("0::/\n", {"cpu.max": "1 0"}, None, None),
        ("", {}, None, None),
    ],
)  # fmt: skip
def test_quotas_are_read_at_every_level(
    tmp_path: Path,
    lines: str,
    files: dict[str, str],
    cpus: float | None,
    throttled: tuple[int, float] | None,
) -> None:
    system(tmp_path, lines, files)
    there = (tmp_path / "fs", tmp_path / "cgroup")
    assert cgroup.quota_cpus(*there) == cpus
    assert cgroup.throttling(*there) == throttled


@pytest.mark.parametrize(
    ("lines", "files", "limit"),
    [
        ("0::/a/b\n", {"a/b/memory.max": "max", "a/memory.max": "1048576"}, 2**20),
        ("4:memory:/g\n", {"memory/g/memory.limit_in_bytes": "2097152",
                           "memory/memory.limit_in_bytes": "9223372036854771712"}, 2**21),
        ("4:memory:/\n", {"memory/memory.limit_in_bytes": "9223372036854771712"}, None),
    ],
)  # fmt: skip
def test_limits_of_memory_are_read_at_every_level(
    tmp_path: Path, lines: str, files: dict[str, str], limit: int | None
) -> None:
    system(tmp_path, lines, files)
    assert cgroup.memory_limit_bytes(tmp_path / "fs", tmp_path / "cgroup") == limit


def test_kills_of_the_whole_machine_are_counted_beside(tmp_path: Path) -> None:
    (tmp_path / "vmstat").write_text("nr_free_pages 1\noom_kill 3\n")
    assert cgroup.machine_oom_kills(tmp_path / "vmstat") == 3
    assert cgroup.machine_oom_kills(tmp_path / "none") is None


def test_python_3_8_reads_the_same(tmp_path: Path) -> None:
    expected = system(tmp_path, V1_LINES, {"memory/memory.oom_control": V1_CONTROL.format(kills=4)})
    code = (
        "import sys; from pathlib import Path; from machine import cgroup;"
        "print(cgroup.oom_kills(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    done = subprocess.run(
        [python_3_8(), "-B", "-c", code, str(tmp_path / "fs"), str(tmp_path / "cgroup")],
        cwd=Path(manifests.__file__).parent.parent, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{expected}\n" == "4\n"


CRASHED = Verdict("crashed", "CalledProcessError: it died", False)
KILLED = Verdict(
    "oom", "the kernel killed a process at the memory limit; CalledProcessError: it died", False
)


@pytest.mark.parametrize(
    ("verdict", "before", "after", "expected"),
    [
        (CRASHED, 0, 1, KILLED),
        (CRASHED, 3, 5, KILLED),
        (CRASHED, 0, 0, CRASHED),
        (CRASHED, 3, 3, CRASHED),
        (CRASHED, 3, 1, CRASHED),  # another group by now
        (CRASHED, None, 1, CRASHED),
        (CRASHED, 0, None, CRASHED),
        (CRASHED, None, None, CRASHED),
    ],
)
def test_a_crash_beside_a_kill_for_memory_is_out_of_memory(
    verdict: Verdict, before: int | None, after: int | None, expected: Verdict
) -> None:
    assert for_lack_of_memory(verdict, before, after) == expected


@pytest.mark.parametrize(
    "verdict",
    [
        Verdict("timeout", "not finished within its 60 s", False),
        Verdict("cancelled", "interrupted", True),
        Verdict("unsupported", "no int8 here", False),
        Verdict("oom", "out of memory: CUDA out of memory", False),
    ],
)
def test_what_is_no_crash_stays_what_it_is(verdict: Verdict) -> None:
    assert for_lack_of_memory(verdict, 0, 1) == verdict
