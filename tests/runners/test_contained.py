"""The first process of a container: it passes on, collects, and ends with who holds its input."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

import runners
from runners import container_init
from tests.manifests.old_python import python_3_8

ROOT = Path(runners.__file__).parent.parent
LONG_S = 120.0
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="for containers")

# A child of this process only becomes a child of the first one where that asks for orphans.
FIRST = """
import ctypes, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)
from runners import container_init
sys.exit(container_init.main(sys.argv[1:], module="child"))
"""
CHILD = """
import os, signal, subprocess, sys, time
def say(word):
    os.write(1, word.encode() + b"\\n")
def hear(*_):
    say("heard")
    sys.exit(int(sys.argv[2]))
what = sys.argv[1]
if what == "hears":
    signal.signal(signal.SIGTERM, hear)
if what == "deaf":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
say(str(os.getpid()))
if what == "ends":
    sys.exit(int(sys.argv[2]))
if what == "signal":
    os.kill(os.getpid(), int(sys.argv[2]))
if what == "orphans":
    for _ in range(int(sys.argv[2])):
        subprocess.run(["sh", "-c", "sleep 0 & sleep 0 &"])
    say("made")
if what == "reads":
    say(repr(sys.stdin.read()))
    sys.exit(0)
while True:
    time.sleep(0.05)
"""


@pytest.fixture(params=["this Python", "Python 3.8"])
def python(request: pytest.FixtureRequest) -> str:
    return sys.executable if request.param == "this Python" else python_3_8()


class First:
    """The first process, whose standard input is held here."""

    def __init__(self, python: str, folder: Path, arguments: list[str], stdin: int) -> None:
        (folder / "child.py").write_text(CHILD)
        self.process = subprocess.Popen(
            [python, "-B", "-c", FIRST, *arguments], stdin=stdin, stdout=subprocess.PIPE,
            text=True, env={**os.environ, "PYTHONPATH": f"{ROOT}:{folder}"},
        )  # fmt: skip

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ended(self) -> int:
        return self.process.wait(LONG_S)


Starter = Callable[..., First]


@pytest.fixture
def start(python: str, tmp_path: Path) -> Iterator[Starter]:
    """Starts it with a pipe as standard input unless another is given."""
    made: list[First] = []

    def starter(*arguments: str, stdin: int = subprocess.PIPE) -> First:
        made.append(First(python, tmp_path, list(arguments), stdin))
        return made[-1]

    yield starter
    for first in made:
        first.process.kill()
        with first.process:
            pass


def is_gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.01)


@pytest.mark.first(4)
@pytest.mark.parametrize("status", [0, 1, 3, 125, 200])
def test_it_ends_as_the_runner_ends(start: Starter, status: int) -> None:
    assert start("ends", str(status)).ended() == status


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT])
def test_a_runner_killed_by_a_signal_is_told_as_shells_tell_it(
    start: Starter, number: signal.Signals
) -> None:
    assert start("signal", str(int(number))).ended() == 128 + number


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("status", [0, 1])
def test_an_end_that_is_asked_for_is_passed_on(
    start: Starter, status: int, number: signal.Signals
) -> None:
    """And told as such, whatever the runner makes of it."""
    first = start("hears", str(status))
    first.line()
    first.process.send_signal(number)
    assert first.line() == "heard"
    assert first.ended() == 143


def test_ctrl_c_at_a_terminal_is_not_passed_on(start: Starter) -> None:
    first = start("hears", "0")
    first.line()
    first.process.send_signal(signal.SIGINT)
    first.process.send_signal(signal.SIGTERM)
    assert first.line() == "heard"
    assert first.ended() == 143


def test_everything_ends_when_the_other_end_of_its_input_goes_away(start: Starter) -> None:
    first = start("deaf")
    child = int(first.line())
    assert first.process.stdin is not None
    first.process.stdin.close()
    assert first.ended() == 125
    wait_until(lambda: is_gone(child), "the runner goes on")


def test_an_input_that_breaks_off_has_gone_away_as_well(start: Starter) -> None:
    """As a connection does whose other side is reset."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ours = socket.create_connection(listening.getsockname())
        theirs, _ = listening.accept()
    with theirs:
        first = start("deaf", stdin=theirs.fileno())
        first.line()
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        ours.close()
        assert first.ended() == 125


def test_a_runner_that_was_asked_and_does_not_hear_ends_with_the_input(start: Starter) -> None:
    first = start("deaf")
    child = int(first.line())
    first.process.terminate()
    assert first.process.stdin is not None
    first.process.stdin.close()
    assert first.ended() == 125
    wait_until(lambda: is_gone(child), "the runner goes on")


def test_what_is_written_to_its_input_is_nobodys_business(start: Starter) -> None:
    first = start("reads")
    first.line()
    assert first.process.stdin is not None
    first.process.stdin.write("words\n" * 3000)
    first.process.stdin.flush()
    assert first.line() == "''", "the runner has an empty input of its own"
    assert first.ended() == 0


def test_an_input_that_nobody_holds_is_not_watched(start: Starter, tmp_path: Path) -> None:
    assert start("ends", "0", stdin=subprocess.DEVNULL).ended() == 0
    (tmp_path / "input").write_text("")
    with open(tmp_path / "input") as file:
        assert start("ends", "0", stdin=file.fileno()).ended() == 0
    first = start("hears", "0", stdin=subprocess.DEVNULL)
    first.line()
    assert first.process.poll() is None
    first.process.terminate()
    assert first.ended() == 143


def test_orphans_are_collected(start: Starter) -> None:
    first = start("orphans", "20")
    child = int(first.line())
    assert first.line() == "made"
    me = psutil.Process(first.process.pid)
    wait_until(lambda: [p.pid for p in me.children()] == [child], "orphans are left")
    assert first.process.poll() is None
    first.process.terminate()
    assert first.ended() == 143


def test_it_sleeps_while_nothing_happens(start: Starter) -> None:
    """It shares the processor with what is being measured."""
    first = start("deaf")
    first.line()
    me = psutil.Process(first.process.pid)
    before = me.cpu_times().user + me.cpu_times().system
    switches = me.num_ctx_switches().voluntary
    time.sleep(0.5)
    assert me.cpu_times().user + me.cpu_times().system == before
    assert me.num_ctx_switches().voluntary - switches <= 2


def test_as_a_module_it_runs_the_launcher(python: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [python, "-B", "-m", "runners.container_init", str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("runners.launcher: ") and "order.json" in done.stderr


@pytest.mark.parametrize(
    ("before", "now", "told"), [(0, 1, True), (3, 3, False), (None, 1, False), (0, None, False)]
)
def test_only_a_kill_that_the_kernel_has_counted_since_is_out_of_memory(
    before: int | None, now: int | None, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container_init, "oom_kills", lambda: now)
    assert container_init._more_than(before) is told
