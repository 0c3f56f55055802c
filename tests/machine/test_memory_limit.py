"""A limit of memory for one process: kept by the kernel, or refused with the reason."""

from __future__ import annotations

import multiprocessing
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from machine import cgroup, memory_limit, seal
from machine.memory_limit import Refusal, in_words, keeping, refusal
from manifests.paths import ROOT

GIB = 2**30
MEMORY = "MemTotal: {total} kB\nMemAvailable: {free} kB\n"


def a_machine(folder: Path, total: int, free: int, used: int = 2**20) -> Path:
    """What its kernel tells."""
    (folder / "proc" / "self").mkdir(parents=True)
    text = MEMORY.format(total=total // 1024, free=free // 1024)
    (folder / "proc" / "meminfo").write_text(text)
    (folder / "proc" / "self" / "status").write_text(f"Name:\tx\nVmData:\t{used // 1024} kB\n")
    return folder


@pytest.fixture(autouse=True)
def no_group(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever group the tests run in."""
    monkeypatch.setattr(cgroup, "memory_limit_bytes", lambda: None)
    monkeypatch.setattr(cgroup, "memory_in_use_bytes", lambda: None)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[int, int]]:
    """Those that the process was started with, by their numbers; none unless given."""
    found: dict[int, int] = {}

    def told(kind: int) -> tuple[int, int]:
        return found.get(kind, resource.RLIM_INFINITY), resource.RLIM_INFINITY

    monkeypatch.setattr(resource, "getrlimit", told)
    yield found


@pytest.mark.parametrize(
    ("count", "words"),
    [(8589934592, "8 GiB"), (524288000, "500 MiB"), (3 * GIB // 2, "1.5 GiB"), (10, "10 bytes"),
     (2**40, "1024 GiB"), (2048, "2 KiB")],
)  # fmt: skip
def test_a_size_is_said_in_few_digits(count: int, words: str) -> None:
    assert in_words(count) == words


def test_a_machine_with_enough_can_be_limited(tmp_path: Path, limits: dict[int, int]) -> None:
    assert refusal(GIB, a_machine(tmp_path, 16 * GIB, 9 * GIB)) is None


@pytest.mark.parametrize(
    ("name", "soft", "refused"),
    [
        ("RLIMIT_DATA", 2 * GIB - 1, True), ("RLIMIT_DATA", 2 * GIB, False),
        ("RLIMIT_DATA", 0, True), ("RLIMIT_AS", GIB, True), ("RLIMIT_AS", 40 * GIB, False),
        ("RLIMIT_STACK", 2**23, False),
    ],
)  # fmt: skip
def test_a_lower_limit_is_refused(
    name: str, soft: int, refused: bool, tmp_path: Path, limits: dict[int, int]
) -> None:
    limits[getattr(resource, name)] = soft
    found = refusal(2 * GIB, a_machine(tmp_path, 16 * GIB, 9 * GIB))
    assert (found is not None) == refused
    if found is not None:
        assert found.reason == (
            f"memory was to be limited to 2 GiB, and the process was started with less: {name} is "
            f"{in_words(soft)}"
        )
        assert not found.passing


@pytest.mark.parametrize(
    ("total", "free", "used", "expected"),
    [
        (7 * GIB, 7 * GIB, 2**20, Refusal(
            "memory was to be limited to 8 GiB; all there is here is less: 7 GiB")),
        (16 * GIB, 4 * GIB, 2**20, Refusal(
            "memory was to be limited to 8 GiB, of which 4 GiB are free now: end what else runs",
            True)),
        (16 * GIB, 8 * GIB - 2**20, 2**20, None),  # what it has already is free for it
        (16 * GIB, 8 * GIB - 2**20 - 1024, 2**20, Refusal(
            "memory was to be limited to 8 GiB, of which 7.999 GiB are free now: end what else "
            "runs", True)),
        (16 * GIB, 9 * GIB, 8 * GIB, Refusal(
            "memory was to be limited to 8 GiB; 8 GiB are in use already")),
    ],
)  # fmt: skip
def test_a_machine_with_less_is_refused(
    total: int, free: int, used: int, expected: Refusal | None,
    tmp_path: Path, limits: dict[int, int], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(memory_limit, "_can_have", lambda count: True)
    assert refusal(8 * GIB, a_machine(tmp_path, total, free, used)) == expected


def test_a_control_group_with_less_is_refused(
    tmp_path: Path, limits: dict[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = a_machine(tmp_path, 16 * GIB, 16 * GIB)
    monkeypatch.setattr(cgroup, "memory_limit_bytes", lambda: 3 * GIB)
    found = refusal(4 * GIB, root)
    assert found is not None and found.reason.endswith("all there is here is less: 3 GiB")
    monkeypatch.setattr(cgroup, "memory_in_use_bytes", lambda: 2 * GIB)
    found = refusal(2 * GIB, root)
    assert found is not None and found.passing
    assert refusal(GIB, root) is None


def test_what_the_kernel_does_not_promise_is_refused(
    tmp_path: Path, limits: dict[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(memory_limit, "_can_have", asked.append)
    found = refusal(4 * GIB, a_machine(tmp_path, 16 * GIB, 16 * GIB, used=GIB))
    assert found is not None and "can't have as much (vm.overcommit_memory" in found.reason
    assert asked == [3 * GIB]


@pytest.mark.parametrize("status", [None, "Name:\tx\n"])
def test_another_kernel_is_refused(
    status: str | None, tmp_path: Path, limits: dict[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    if status is not None:
        (tmp_path / "proc" / "self").mkdir(parents=True)
        (tmp_path / "proc" / "self" / "status").write_text(status)
    told = Refusal("a limit of memory (8 GiB) needs Linux, whose kernel keeps it")
    assert refusal(8 * GIB, tmp_path) == told
    monkeypatch.setattr(memory_limit, "resource", None)
    assert refusal(8 * GIB, a_machine(tmp_path / "linux", 16 * GIB, 16 * GIB)) == told


def _limited(pipe: object) -> None:
    """In a process of its own: what can be had before, inside and after."""
    limit = 2 * GIB
    before = resource.getrlimit(resource.RLIMIT_DATA)
    found = [memory_limit._can_have(limit)]
    with keeping(limit) as kept:
        found += [kept, memory_limit._can_have(limit), memory_limit._can_have(GIB)]
        try:
            bytearray(limit)
        except MemoryError:
            found.append(True)
    found += [memory_limit._can_have(limit), resource.getrlimit(resource.RLIMIT_DATA) == before]
    pipe.send(found)  # type: ignore[attr-defined]


def test_the_kernel_keeps_the_limit_and_forgets_it() -> None:
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_limited, args=(there,))
    process.start()
    assert here.poll(60)
    assert here.recv() == [True, True, False, True, True, True, True]
    process.join(60)


def test_a_process_under_a_lower_limit_says_so() -> None:
    code = "from machine.memory_limit import refusal; print(refusal(8 * 2**30).reason)"
    done = subprocess.run(
        ["sh", "-c", f"ulimit -d 1000000; exec {sys.executable} -c '{code}'"],
        cwd=ROOT, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout == (
        "memory was to be limited to 8 GiB, and the process was started with less: RLIMIT_DATA is "
        "976.6 MiB\n"
    )


KILLED = seal.End(code=0, signal=9, oom="the machine ran out of memory")
ABORTED = seal.End(code=0, signal=6)


@pytest.mark.parametrize(
    ("ended", "said", "limit", "expected"),
    [
        (KILLED, "", 0, ("oom", "the kernel ended it: the machine ran out of memory", False)),
        (KILLED, "", 8 * GIB, ("crashed", "the kernel ended it before it was at its limit of 8 "
                               "GiB: the machine ran out of memory", True)),
        (ABORTED, "what():  std::bad_alloc", 0,
         ("oom", "out of host memory: it ended itself with std::bad_alloc", False)),
        (ABORTED, "what():  std::bad_alloc", 8 * GIB,
         ("oom", "at its limit of 8 GiB: out of host memory: it ended itself with std::bad_alloc",
          False)),
        (ABORTED, "", 8 * GIB, ("crashed", "ended by SIGABRT", False)),
    ],
)  # fmt: skip
def test_another_end_than_at_its_limit_does_not_count_as_that(
    ended: seal.End, said: str, limit: int, expected: tuple[str, str, bool]
) -> None:
    assert seal.judge(ended, said, limit) == expected
