"""``python -m runners.shared_parent SOCKET``: one process that has imported a framework, and of
which every cell that is asked for is a fork. Hundreds of small cells then import it once.

It has executed nothing and has no threads, or it refuses: a fork of a process with threads, or of a
framework that has made some, may stand still for ever. Each fork is a launcher (runners.launcher)
that leads a group of its own, and the cell a fork of that: a cell that crashes, hangs or is killed
takes nothing else with it.

A request on the socket is JSON, ``folder`` (with its order.json) and ``variables``, with three
descriptors: for standard output, for standard error, and one on which is answered: the launcher's
process id, and its exit status when it has ended, a line each. A refusal is a line of words.
"""

from __future__ import annotations

import argparse
import array
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

from manifests import order
from manifests.cell import Cell
from manifests.codec import read_struct
from manifests.order import CellOrder
from manifests.runner_files import framework
from runners import launcher, lifeline, machine, package
from runners.forked_cell import ForkedCell, exit_code

_MOST_BYTES = 65536
_DESCRIPTORS = 3
_TASKS = Path("/proc/self/task")


class Request(NamedTuple):
    """What is asked for, and where its output, its errors and the answer go."""

    folder: str
    variables: Dict[str, str]
    output: int
    errors: int
    answer: int


def main(arguments: Optional[List[str]] = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m runners.shared_parent", description=__doc__)
    parser.add_argument("socket", type=int, help="descriptor of the socket")
    parser.add_argument("--parent", type=int, help="process id; end when that process ends")
    given = parser.parse_args(arguments)
    if given.parent:
        lifeline.die_with(given.parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Parent(socket.socket(fileno=given.socket)).serve()
    return 0


class Parent:
    """Forks a launcher for each request, and tells of its end."""

    def __init__(self, requests: socket.socket) -> None:
        self._requests = requests
        self._answers: Dict[int, int] = {}
        self._ready: Optional[str] = None
        self._wake, waker = os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(waker)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._waker = waker

    def serve(self) -> None:
        """Until nobody can ask any more."""
        while True:
            waited: List[Any] = [self._requests, self._wake]
            readable, _, _ = select.select(waited, [], [])
            if self._wake in readable:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._wake, 4096)
            self._reap()
            if self._requests in readable:
                request = received(self._requests)
                if request is None:
                    return
                self._start(request)

    def _start(self, request: Request) -> None:
        if self._ready is None:
            self._ready = prepare(request.folder)
        if self._ready:
            _tell(request.answer, self._ready)
        else:
            with lifeline.held_back():  # until its launcher listens
                pid = os.fork()
                if not pid:
                    self._become(request)
            self._answers[pid] = request.answer
            _tell(request.answer, str(pid))
        os.close(request.output)
        os.close(request.errors)
        if self._ready:
            os.close(request.answer)

    def _become(self, request: Request) -> None:
        """The launcher, in a session of its own; it never comes back."""
        parent = os.getppid()
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            for other in (self._wake, self._waker, request.answer, *self._answers.values()):
                os.close(other)
            self._requests.close()
            os.dup2(request.output, 1)
            os.dup2(request.errors, 2)
            os.environ.update(request.variables)
            os.chdir(request.folder)
            arguments = [request.folder, "--parent", str(parent)]
            status = launcher.main(arguments, ForkedCell)
        except BaseException:  # noqa: BLE001  nothing of the parent goes on in its child
            sys.excepthook(*sys.exc_info())
            status = 3
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _reap(self) -> None:
        for pid in list(self._answers):
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is None:
                continue
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)  # before its number can be another's
            _, status = os.waitpid(pid, 0)
            answer = self._answers.pop(pid)
            _tell(answer, str(exit_code(status)))
            os.close(answer)


def prepare(folder: str) -> str:
    """Import what the framework of the cell in ``folder`` names; why it can't be shared, if so."""
    cell: Cell = read_struct(Path(folder) / order.FILE_NAME, CellOrder).cell
    before_import = getattr(package(cell.framework), "before_import", None)
    if before_import is not None:
        before_import(cell)
    for name in framework(cell.framework).shared_imports:
        with contextlib.suppress(ImportError):  # the cell that misses it says so
            importlib.import_module(name)
    machine.keep_package_versions()
    gc.collect()
    gc.freeze()
    return refusal()


def refusal() -> str:
    """Why this process can't be forked; empty where it can."""
    try:
        threads = len(list(_TASKS.iterdir()))
    except OSError:
        return "nobody tells how many threads this process has"
    return "" if threads == 1 else f"importing left {threads} threads"


def received(requests: socket.socket) -> Optional[Request]:
    """The next request; None when there will be none."""
    sizes = array.array("i", [0] * _DESCRIPTORS)
    data, ancillary, _, _ = requests.recvmsg(
        _MOST_BYTES, socket.CMSG_SPACE(len(sizes) * sizes.itemsize)
    )
    if not data:
        return None
    found = array.array("i")
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(content[: len(content) - len(content) % found.itemsize])
    asked = json.loads(data)
    return Request(asked["folder"], asked["variables"], *found)


def _tell(descriptor: int, line: str) -> None:
    """Who asked may be gone."""
    with contextlib.suppress(OSError):
        os.write(descriptor, line.encode() + b"\n")


if __name__ == "__main__":
    sys.exit(main())
