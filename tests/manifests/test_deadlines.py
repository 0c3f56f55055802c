"""Calls with a deadline: one that never returns holds nobody up, and no program from ending."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time

import pytest

from manifests.deadlines import NoAnswerError, Patience


def test_what_a_call_returns_or_raises_comes_through() -> None:
    patience = Patience()
    assert patience.call(lambda: 3, 5) == 3
    with pytest.raises(ZeroDivisionError):
        patience.call(lambda: 1 // 0, 5)
    assert patience.call(threading.get_ident, 5) == patience.call(threading.get_ident, 5)
    patience.close()


def test_one_that_hangs_is_left_behind_and_the_next_is_answered() -> None:
    patience, gate, before = Patience(), threading.Event(), set(threading.enumerate())
    with pytest.raises(NoAnswerError, match=r"no answer within 0\.05 s"):
        patience.call(gate.wait, 0.05)
    assert patience.call(lambda: 4, 5) == 4
    assert len(set(threading.enumerate()) - before) == 2
    gate.set()
    patience.close()
    end = time.monotonic() + 120
    while set(threading.enumerate()) - before:
        assert time.monotonic() < end
        time.sleep(0.01)


HANGS = """
import ctypes, signal, sys
from manifests.deadlines import NoAnswerError, Patience
print("begun", flush=True)
try:
    Patience().call(lambda: ctypes.CDLL(None).sleep(1000), {seconds})
except NoAnswerError as error:
    print(error)
"""


def started(seconds: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HANGS.format(seconds=seconds)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "begun\n"
    return process


def test_a_program_ends_while_a_call_of_it_hangs_in_c() -> None:
    process = started(0.2)
    assert process.communicate(timeout=120)[0] == "no answer within 0.2 s\n"
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_hears_signals_meanwhile(number: signal.Signals) -> None:
    process = started(1000)
    time.sleep(0.3)
    process.send_signal(number)
    process.communicate(timeout=120)
    assert process.returncode != 0
