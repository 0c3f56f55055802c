"""What the kernel's control groups say about memory, by the files of each kind of system."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

import runners
from runners import cgroup
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


def test_python_3_8_reads_the_same(tmp_path: Path) -> None:
    expected = system(tmp_path, V1_LINES, {"memory/memory.oom_control": V1_CONTROL.format(kills=4)})
    code = (
        "import sys; from pathlib import Path; from runners import cgroup;"
        "print(cgroup.oom_kills(Path(sys.argv[1]), Path(sys.argv[2])))"
    )
    done = subprocess.run(
        [python_3_8(), "-B", "-c", code, str(tmp_path / "fs"), str(tmp_path / "cgroup")],
        cwd=Path(runners.__file__).parent.parent, capture_output=True, text=True, check=True,
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
