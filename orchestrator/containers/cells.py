"""A cell in its container: create, start, stream, wait, inspect, remove."""

from __future__ import annotations

import functools
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from docker.errors import APIError, NotFound

from manifests.files import write_atomically
from manifests.manifest import Status
from orchestrator.containers import archives
from orchestrator.containers.daemon import GONE, Daemon
from orchestrator.containers.settings import CELL
from orchestrator.containers.sharing import Shared
from orchestrator.containers.stream import Output, plain_socket
from orchestrator.engines import Exit, Order, Where
from orchestrator.errors import EngineGoneError, MachineError

_SIGTERM_STATUS = 143
_GOING_AWAY_S = 3.0
_WAIT_S = 30
T = TypeVar("T")


class DockerCell:
    """A running container. Its standard input is held open: it ends when we do."""

    def __init__(self, daemon: Daemon, image: str, order: Order, shared: Shared) -> None:
        self._daemon = daemon
        self._order = order
        self._shared = shared
        self._image = image
        self._asked = self._killed = False
        self._state: dict[str, Any] | None = None
        self._lost = ""
        self._exit: Exit | None = None
        self._once = threading.Lock()

    def start(self, arguments: dict[str, Any]) -> None:
        """Create the container, take hold of its streams, start it. Raises APIError, GONE."""
        api = self._daemon.client.api
        self._container = self._daemon.client.containers.create(self._image, **arguments)
        try:
            self._give()
            asked = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
            self._attached = api.attach_socket(self._container.id, params=asked)
            self._socket = plain_socket(self._attached)
            self._output = Output(self._socket, self._order.folder / "stderr.txt", self._at_end)
            self._container.start()
        except BaseException:
            self._remove()
            raise
        self._reader = threading.Thread(target=self._output.pump, name="container output")
        self._reader.daemon = True
        self._reader.start()

    def where(self) -> Where:
        if not self._daemon.shares_files:
            reason = f"the cell runs on the machine of the {self._daemon.words}"
            return Where(None, elsewhere=True, reason=reason)
        try:
            state = self._daemon.client.api.inspect_container(self._container.id)["State"]
        except (APIError, *GONE):
            return Where(None, reason="the Docker daemon did not tell its process")
        pid = int(state["Pid"])
        return Where(pid or None, self._container.id, reason="" if pid else "it has ended")

    def read(self, timeout_s: float) -> bytes | None:
        return self._output.read(timeout_s)

    def ask_to_stop(self, status: Status, reason: str) -> None:
        self._asked = True
        message = json.dumps({"status": status, "reason": reason}).encode()
        try:
            if self._mounted:
                write_atomically(self._order.folder / "stop.json", message)
            else:
                self._container.put_archive(CELL, archives.one_file("stop.json", message))
        except (OSError, APIError):
            pass  # without the file it stops as cancelled
        self._signal("SIGTERM")

    def kill(self) -> None:
        self._asked = self._killed = True
        self._signal("SIGKILL")

    def wait(self) -> Exit:
        with self._once:
            if self._exit is None:
                self._exit = self._finish()
            return self._exit

    @property
    def _mounted(self) -> bool:
        return any(m.target == CELL and m.kind == "bind" for m in self._shared.mounts)

    def _signal(self, name: str) -> None:
        try:
            self._container.kill(name)
        except (APIError, *GONE):
            pass  # it has ended, or the daemon is away and its return tells

    def _at_end(self) -> None:
        """On the reader's thread, after the last byte: what the daemon says of the end."""
        try:
            self._state = self._await_state()
        except GONE:
            self._lost = "the Docker daemon went away"
        except NotFound:
            self._lost = "somebody removed its container"
        except APIError as error:
            self._lost = f"the Docker daemon can't tell how it ended: {error.explanation}"

    def _await_state(self) -> dict[str, Any]:
        api = self._daemon.client.api
        while True:
            state: dict[str, Any] = api.inspect_container(self._container.id)["State"]
            if not state["Running"]:
                break
            try:
                api.wait(self._container.id, timeout=_WAIT_S)
            except GONE:
                if not self._daemon.answers():
                    raise
        # A daemon that is told to end lets go of its containers first.
        unasked = state["ExitCode"] in (_SIGTERM_STATUS, 137) and not self._asked
        if unasked and not state["OOMKilled"] and self._daemon.goes_away_within(_GOING_AWAY_S):
            raise ConnectionError
        return state

    def _finish(self) -> Exit:
        while self._output.read(1.0) is not None:
            pass
        self._reader.join()
        self._attached.close()
        self._socket.close()
        if self._lost and not self._daemon.comes_back():
            raise EngineGoneError(f"{self._lost} and did not come back. Start it and run again")
        ended = self._judge()
        try:
            self._take()
        except (APIError, *GONE):
            if not ended.lost:
                ended = Exit(code=0, lost="its results could not be fetched")
        self._remove()
        return ended

    def _judge(self) -> Exit:
        if self._lost or self._state is None:
            return Exit(code=0, lost=self._lost or "the Docker daemon does not know it")
        code = int(self._state["ExitCode"])
        oom = code != 0 and (bool(self._state["OOMKilled"]) or self._oom_event())
        return Exit(code=code, signal=code - 128 if 128 < code <= 128 + 64 else 0, oom=oom)

    def _oom_event(self) -> bool:
        """Whether the daemon reported an out-of-memory event that the state doesn't show."""
        assert self._state is not None
        try:
            events = self._daemon.client.events(
                since=self._state["StartedAt"],
                until=self._state["FinishedAt"],
                filters={"container": self._container.id, "event": "oom"},
            )
            return any(True for _ in events)
        except (APIError, *GONE):
            return False

    def _give(self) -> None:
        """Root's own folder is handed to the user who runs inside, for as long as it runs."""
        if self._mounted and os.getuid() == 0:
            user, group = map(int, self._container.attrs["Config"]["User"].split(":"))
            _chown(self._order.folder, user, group)

    def _take(self) -> None:
        """Results out of the volume, or back into our own hands."""
        if not self._mounted:
            chunks, _ = self._container.get_archive(CELL)
            archives.unpack_results(chunks, self._order.folder)
        elif os.getuid() == 0:
            _chown(self._order.folder, 0, 0)

    def _remove(self) -> None:
        _quietly(lambda: self._container.remove(force=True, v=True))
        api = self._daemon.client.api
        for name in self._shared.volumes:
            _quietly(functools.partial(api.remove_volume, name, force=True))


def _chown(folder: Path, user: int, group: int) -> None:
    """The folder and everything in it, links themselves and never what they point to."""
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            os.chown(os.path.join(place, name), user, group, follow_symlinks=False)


def _quietly(action: Callable[[], T]) -> None:
    """What can't be removed now is reaped by the next run."""
    try:
        action()
    except (APIError, MachineError, *GONE):
        pass
