"""How busy others are, who they are, and waiting until they are not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from machine.quiet import Busy, Watch, busy_words, is_quiet, wait_until_quiet
from tests.fakes.clock import Clock
from tests.fakes.kernel import KernelFiles

OURS, THEIRS, TICK_S = os.getpid(), 2**22 - 3, 1 / os.sysconf("SC_CLK_TCK")


class Machine(KernelFiles):
    """Two processors, of which shares of the time go by as a test says."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.idle = self.busy = self.steal = self.pressure_us = 0
        self.used: dict[int, tuple[str, int]] = {OURS: ("python", 0), THEIRS: ("(b) rowser", 0)}
        self.go()

    def go(
        self, seconds: float = 0.0, ours: float = 0, theirs: float = 0, steal: float = 0,
        pressure: float = 0,
    ) -> None:  # fmt: skip
        """``ours``, ``theirs`` and ``steal`` are numbers of processors."""
        ticks = seconds / TICK_S
        self.busy += round(ticks * (ours + theirs))
        self.steal += round(ticks * steal)
        self.idle += round(ticks * (2 - ours - theirs - steal))
        self.pressure_us += round(seconds * pressure * 1e6)
        for pid, share in ((OURS, ours), (THEIRS, theirs)):
            name, used = self.used[pid]
            self.used[pid] = (name, used + round(ticks * share))
        self._write()

    def _write(self) -> None:
        self.write("proc/stat", f"cpu  {self.busy} 0 0 {self.idle} 0 0 0 {self.steal} 0 0\n")
        some = f"some avg10=0.00 avg60=0.00 avg300=0.00 total={self.pressure_us}\n"
        self.write("proc/pressure/cpu", some)
        for pid, (name, used) in self.used.items():
            rest = f"S 1 1 1 0 -1 0 0 0 0 0 {used} 0 0 0 20 0 1 0 7 0 10"
            self.write(f"proc/{pid}/stat", f"{pid} ({name}) {rest}\n")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_what_others_take_is_without_what_is_ours(machine: Machine) -> None:
    clock = Clock(5.0)
    watch = Watch(machine.root, clock)
    machine.go(2.0, ours=0.5, theirs=0.6, steal=0.1, pressure=0.25)
    clock.now_s = 7.0
    found = watch.look()
    assert found is not None
    assert found.others == pytest.approx(0.30, abs=0.01)
    assert found.steal == pytest.approx(0.05, abs=0.01)
    assert found.pressure == pytest.approx(0.25)
    assert [(name, pytest.approx(cores, abs=0.02)) for name, cores in found.who] == [
        ("(b) rowser", 0.6)
    ]


def test_each_look_is_since_the_one_before(machine: Machine) -> None:
    clock = Clock()
    watch = Watch(machine.root, clock)
    for theirs in (1.0, 0.0, 2.0):
        machine.go(1.0, theirs=theirs)
        clock.now_s += 1.0
        found = watch.look()
        assert found is not None and found.others == pytest.approx(theirs / 2)


def test_a_process_that_is_new_counts_from_its_beginning(machine: Machine) -> None:
    clock = Clock()
    watch = Watch(machine.root, clock)
    machine.used[THEIRS + 1] = ("cc1plus", round(0.75 / TICK_S))
    machine.go(1.0, theirs=0.0)
    clock.now_s = 1.0
    found = watch.look()
    assert found is not None and found.who == [("cc1plus", 0.75)]


def test_where_nothing_can_be_told_nobody_knows(tmp_path: Path) -> None:
    watch = Watch(tmp_path, Clock(step_s=1.0))
    assert watch.look() is None


def test_without_pressure_the_rest_is_told(machine: Machine) -> None:
    (machine.root / "proc/pressure/cpu").unlink()
    clock = Clock()
    watch = Watch(machine.root, clock)
    machine.go(1.0, theirs=1.0)
    (machine.root / "proc/pressure/cpu").unlink()
    clock.now_s = 1.0
    found = watch.look()
    assert found is not None and (found.others, found.pressure) == (0.5, None)


@pytest.mark.parametrize(
    ("busy", "baseline", "quiet"),
    [
        (Busy(0.05, 0.0, 0.0, []), 0.0, True),
        (Busy(0.06, 0.0, 0.0, []), 0.0, False),
        (Busy(0.06, 0.0, 0.0, []), 0.02, True),
        (Busy(0.11, 0.0, 0.0, []), 0.60, False),  # what is always busy is no idle baseline
        (Busy(0.0, 0.03, 0.0, []), 0.0, False),
        (Busy(0.0, 0.02, 0.0, []), 0.0, True),
        (Busy(0.0, 0.0, 0.11, []), 0.0, False),
        (Busy(0.0, 0.0, None, []), 0.0, True),
    ],
)
def test_the_limits_of_quiet(busy: Busy, baseline: float, quiet: bool) -> None:
    assert is_quiet(busy, baseline) is quiet


def test_what_is_busy_in_words() -> None:
    who = [("chrome", 1.26), ("cc1plus", 0.5)]
    assert busy_words(Busy(0.876, 0.0, 0.5, who)) == (
        "others take 88 % of the processors, among them chrome 1.3, cc1plus 0.5 of a core"
    )
    assert busy_words(Busy(0.2, 0.0, None, [])) == (
        "others take 20 % of the processors, by processes that can't be seen from here"
    )
    assert busy_words(Busy(0.0, 0.125, 0.5, [])) == "the hypervisor takes 12 % of the processors"
    assert busy_words(Busy(0.01, 0.0, 0.5, [])) == (
        "processes wait for a processor 50 % of the time"
    )


class Looks:
    """A watch that says in turn what a test wants."""

    def __init__(self, *others: float | None) -> None:
        self._others = iter(others)
        self.clock = Clock()

    def look(self) -> Busy | None:
        share = next(self._others)
        return None if share is None else Busy(share, 0.0, 0.0, [("cc1", share * 2)])

    def sleep(self, seconds: float) -> None:
        self.clock.now_s += seconds

    def wait(self, limit_s: float, told: list[Busy]) -> object:
        return wait_until_quiet(
            limit_s, lambda busy, waited: told.append(busy), self, self.clock, self.sleep
        )


def test_a_quiet_machine_is_waited_for_no_longer_than_one_look() -> None:
    told: list[Busy] = []
    waited = Looks(0.01).wait(30.0, told)
    assert (waited, told) == ((1.0, None), [])


def test_it_waits_until_the_others_have_ended_and_says_who_is_busy() -> None:
    told: list[Busy] = []
    assert Looks(0.9, 0.8, 0.02).wait(30.0, told) == (3.0, None)
    assert [busy.others for busy in told] == [0.9, 0.8]
    assert told[0].who == [("cc1", 1.8)]


def test_it_gives_up_at_the_limit_with_what_is_busy() -> None:
    told: list[Busy] = []
    waited = Looks(*[0.5] * 9).wait(3.0, told)
    assert waited == (3.0, Busy(0.5, 0.0, 0.0, [("cc1", 1.0)]))


def test_an_idle_machines_own_background_is_its_baseline() -> None:
    assert Looks(0.07, 0.07).wait(9.0, []) == (2.0, None)
    assert Looks(0.20, 0.11, 0.08).wait(9.0, []) == (3.0, None)
    assert Looks(*[0.3] * 4).wait(4.0, []) == (4.0, Busy(0.3, 0.0, 0.0, [("cc1", 0.6)]))


def test_nothing_is_waited_for_where_nobody_can_tell_or_nobody_wants() -> None:
    assert Looks(None).wait(30.0, []) == (1.0, None)
    assert Looks().wait(0.0, []) == (0.0, None)


@pytest.fixture
def burner() -> Iterator[subprocess.Popen[bytes]]:
    """A process that is no child of this one's watch: its parent has ended."""
    command = f"exec {sys.executable} -c 'while True: pass'"
    process = subprocess.Popen(["sh", "-c", command], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_a_real_process_is_named(burner: subprocess.Popen[bytes]) -> None:
    watch = Watch(ours=2**22 + 1)  # nothing is ours
    time.sleep(1.0)
    found = watch.look()
    assert found is not None and found.others > 0.05
    assert any("python" in name for name, _ in found.who)
    own = Watch()
    time.sleep(1.0)
    mine = own.look()
    assert mine is not None and all(burner.pid != name for name, _ in mine.who)


def test_a_look_too_soon_after_another_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/stat").write_bytes(Path("/proc/stat").read_bytes())
    watch = Watch(tmp_path)
    assert watch.look() is None
