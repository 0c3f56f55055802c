"""What asks a run to end while a thread is being started is heard right after."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from orchestrator.running.deferred_signals import deferred


def test_ctrl_c_is_raised_when_the_moment_is_over() -> None:
    passed = []
    with pytest.raises(KeyboardInterrupt), deferred():
        os.kill(os.getpid(), signal.SIGINT)
        passed.append("the rest of it")
    assert passed == ["the rest of it"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_two_signals_are_one_end() -> None:
    with pytest.raises(KeyboardInterrupt), deferred():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)


def test_the_handler_that_was_there_is_the_one_that_is_called() -> None:
    heard = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))
    try:
        with deferred():
            os.kill(os.getpid(), signal.SIGTERM)
            assert heard == []
        assert heard == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with deferred():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_error_inside_goes_before_the_signal() -> None:
    with pytest.raises(ValueError, match="inside"), deferred():
        os.kill(os.getpid(), signal.SIGINT)
        raise ValueError("inside")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_have_nothing_to_defer() -> None:
    done = []

    def elsewhere() -> None:
        with deferred():
            done.append(True)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert done == [True]
