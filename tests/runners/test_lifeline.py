"""A runner ends when it is asked to, and when the one who started it is gone."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import runners
from runners import lifeline
from runners.failures import Stopped

ROOT = Path(runners.__file__).parent.parent
LONG_S = 120.0
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux's prctl")

RUNNER = """
import os, signal
from runners import lifeline
lifeline.die_with(os.getppid())
os.write(1, b"ready\\n")
while True:
    signal.pause()
"""
STARTER = """
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""
ORPHAN = """
from runners import lifeline
lifeline.die_with(1 << 30)
print("still here", flush=True)
"""


@pytest.fixture(autouse=True)
def handler() -> Iterator[None]:
    """A stopper ignores further signals; the tests' own process should not."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, kept in before.items():
        signal.signal(number, kept)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}


@linux
def test_a_runner_dies_with_the_process_that_started_it() -> None:
    reader, writer = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", STARTER, RUNNER], stdout=writer, env=_environment()
    ) as starter:
        os.close(writer)
        try:
            assert _read(reader) == b"ready\n"
        finally:
            starter.kill()
    assert _read(reader) == b"", "the pipe closes when the last process that holds it is gone"
    os.close(reader)


def _read(descriptor: int) -> bytes:
    readable, _, _ = select.select([descriptor], [], [], LONG_S)
    assert readable, "nothing came"
    return os.read(descriptor, 100)


@linux
def test_a_runner_whose_starter_is_gone_already_does_not_begin() -> None:
    done = subprocess.run([sys.executable, "-c", ORPHAN], env=_environment(), capture_output=True)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, b"")


def _stopped(folder: Path) -> Stopped:
    with pytest.raises(Stopped) as caught:
        lifeline.stopper(folder)(signal.SIGTERM, None)
    return caught.value


def test_the_stop_file_says_what_is_recorded(tmp_path: Path) -> None:
    asked = {"status": "timeout", "reason": "not finished within its 60 s"}
    (tmp_path / "stop.json").write_text(json.dumps(asked))
    stopped = _stopped(tmp_path)
    assert (stopped.status, stopped.reason) == ("timeout", "not finished within its 60 s")


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '"timeout"', '{"status":"timeout"}', '{"reason":"late"}', "\x00"],
)
def test_a_stop_file_that_says_nothing_cancels(tmp_path: Path, content: str) -> None:
    (tmp_path / "stop.json").write_text(content)
    stopped = _stopped(tmp_path)
    assert (stopped.status, stopped.reason) == ("cancelled", "the runner got SIGTERM")


def test_only_a_timeout_or_a_cancellation_can_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "stop.json").write_text('{"status":"ok","reason":"pretend"}')
    stopped = _stopped(tmp_path)
    assert (stopped.status, stopped.reason) == ("cancelled", "pretend")


def test_without_a_stop_file_it_is_cancelled(tmp_path: Path) -> None:
    assert _stopped(tmp_path).status == "cancelled"


def test_a_second_signal_does_not_disturb_the_first(tmp_path: Path) -> None:
    _stopped(tmp_path)
    for number in (signal.SIGTERM, signal.SIGHUP):
        assert signal.getsignal(number) == signal.SIG_IGN
        os.kill(os.getpid(), number)


def test_a_hangup_ends_the_cell_unless_it_is_ignored(tmp_path: Path) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    lifeline.heed(tmp_path)
    with pytest.raises(Stopped, match="the runner got SIGHUP"):
        os.kill(os.getpid(), signal.SIGHUP)
        signal.pause()
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    lifeline.heed(tmp_path)
    os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
