"""Cells of the local engine that are forks of one process, which has imported their framework.

What a cell is told and leaves is the same; only its process has another beginning. A process that
can't be forked safely says so, and its cells are started as every other.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from manifests import paths
from manifests.files import write_atomically
from manifests.manifest import Status
from orchestrator.engines import found_process
from orchestrator.engines.base import Exit, Order, Where
from orchestrator.environments.pythons import clean_environment

_CHUNK = 65536
_PREPARED_S = 180.0
"""How long importing may take before its cells go on without."""
_LOST = "the process that it was a fork of has ended"


class _Pipe(NamedTuple):
    """Reading and writing end."""

    reading: int
    writing: int


class SharedParents:
    """One process for each interpreter and framework, started when it is first asked for."""

    def __init__(self) -> None:
        self._parents: dict[tuple[str, str], _Parent | None] = {}
        self._lock = threading.Lock()

    def start(self, python: Path, order: Order, name: str) -> ForkedCell | None:
        """A cell as a fork; None where there is no process that can be forked."""
        key = (str(python), order.shares)
        with self._lock:
            if key not in self._parents:
                self._parents[key] = _Parent(python)
            parent = self._parents[key]
            cell = parent.fork(order, name) if parent else None
            if parent is not None and cell is None:
                parent.close()
                self._parents[key] = None
        return cell

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        """No process outlives it."""
        try:
            yield
        finally:
            with self._lock:
                for parent in self._parents.values():
                    if parent is not None:
                        parent.close()
                self._parents.clear()


class _Parent:
    """A running ``python -m runners.shared_parent``."""

    def __init__(self, python: Path) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # Threads of numpy's library would be there before the first fork.
        environment = {
            **clean_environment(), **paths.cell_variables(), "OPENBLAS_NUM_THREADS": "1"
        }  # fmt: skip
        command = [
            str(python), "-m", "runners.shared_parent", str(theirs.fileno()),
            "--parent", str(os.getpid()),
        ]  # fmt: skip
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, env=environment, pass_fds=[theirs.fileno()],
                start_new_session=True,
            )  # fmt: skip

    def fork(self, order: Order, name: str) -> ForkedCell | None:
        """None where it can't be forked, or is no more."""
        output, answer = _Pipe(*os.pipe()), _Pipe(*os.pipe())
        errors = os.open(order.folder / "stderr.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        request = {"folder": str(order.folder), "variables": {found_process.VARIABLE: name}}
        try:
            socket.send_fds(
                self._requests, [json.dumps(request).encode()],
                [output.writing, errors, answer.writing],
            )  # fmt: skip
        except OSError:
            pass  # it has ended: nobody answers either
        for descriptor in (output.writing, errors, answer.writing):
            os.close(descriptor)
        first = _line(answer.reading, _PREPARED_S)
        if first.isdigit():
            return ForkedCell(int(first), order, output.reading, answer.reading)
        os.close(output.reading)
        os.close(answer.reading)
        return None

    def close(self) -> None:
        """End it; its forks are over by then, or end with it."""
        self._requests.close()
        try:
            self._process.wait(2.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class ForkedCell:
    """A running cell, whose launcher is no child of this process: its parent tells of its end."""

    def __init__(self, pid: int, order: Order, output: int, answer: int) -> None:
        self._pid, self._folder = pid, order.folder
        self._output, self._answer = output, answer
        self._exit: Exit | None = None
        if order.cpus:
            with contextlib.suppress(OSError, AttributeError):
                os.sched_setaffinity(pid, order.cpus)

    def where(self) -> Where:
        return Where(self._pid)

    def known(self) -> dict[str, str]:
        return found_process.identity(self._pid)

    def ended(self) -> bool:
        return self._exit is not None or bool(select.select([self._answer], [], [], 0)[0])

    def read(self, timeout_s: float) -> bytes | None:
        readable, _, _ = select.select([self._output], [], [], timeout_s)
        if not readable:
            return b""
        return os.read(self._output, _CHUNK) or None

    def ask_to_stop(self, status: Status, reason: str) -> None:
        message = json.dumps({"status": status, "reason": reason}).encode()
        with contextlib.suppress(OSError):  # without the file it stops as cancelled
            write_atomically(self._folder / "stop.json", message)
        self._signal(signal.SIGTERM, group=False)

    def kill(self) -> None:
        self._signal(signal.SIGKILL, group=True)

    def wait(self) -> Exit:
        if self._exit is None:
            said = _line(self._answer, None)
            os.close(self._answer)
            os.close(self._output)
            self._exit = _exit(said)
        return self._exit

    def _signal(self, number: signal.Signals, group: bool) -> None:
        if self.ended():  # its number may be another's
            return
        if group:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._pid, number)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(self._pid, number)  # that has no group of its own yet, just begun


def _exit(said: str) -> Exit:
    try:
        code = int(said)
    except ValueError:
        return Exit(code=0, lost=_LOST)
    return Exit(code=max(code, 0), signal=max(-code, 0))


def _line(descriptor: int, timeout_s: float | None) -> str:
    """The next line without its end; empty where there is none in time, or none any more."""
    found = b""
    while not found.endswith(b"\n"):
        if not select.select([descriptor], [], [], timeout_s)[0]:
            return ""
        piece = os.read(descriptor, 1)
        if not piece:
            return ""
        found += piece
    return found[:-1].decode(errors="replace")
