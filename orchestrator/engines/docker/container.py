"""A cell in its container: create, start, stream, wait, inspect, remove."""

from __future__ import annotations

import datetime
import functools
import json
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

from docker.errors import APIError, NotFound

from manifests.errors import EngineGoneError
from manifests.files import where_possible, write_atomically
from manifests.manifest import Status
from orchestrator.engines.base import Exit, Order, Tell, Where
from orchestrator.engines.docker import archives
from orchestrator.engines.docker.daemon import GONE, Daemon
from orchestrator.engines.docker.mounts import Shared
from orchestrator.engines.docker.ownership import claim, entries
from orchestrator.engines.docker.settings import CELL, outside
from orchestrator.engines.docker.stream import Connection, Output
from orchestrator.messages import LogLine

_ABANDONED = 125  # runners.container_init: its standard input ended
_OUT_OF_MEMORY = 124  # the same: the kernel killed its launcher at the memory limit
_KILLED, _TERMINATED = 128 + signal.SIGKILL, 128 + signal.SIGTERM
_OOM_WITHIN_S = 10.0  # between the kernel's kill and the end that it leads to
_GOING_AWAY_S = 3.0
_WAIT_S = 30


class DockerCell:
    """A container. Its standard input is held open: it ends when we do.

    ``tell`` hears when the daemon is away.
    """

    def __init__(self, daemon: Daemon, order: Order, tell: Tell) -> None:
        self._daemon = daemon
        self._order = order
        self._tell = tell
        self._shared = Shared([], {}, [])
        self._container: Any = None
        self._connection: Connection | None = None
        self._output: Output | None = None
        self._reader: threading.Thread | None = None
        self._asked = False
        self._state: dict[str, Any] | None = None
        self._lost = ""
        self._exit: Exit | None = None
        self._once = threading.Lock()

    def start(self, image: str, shared: Shared, arguments: dict[str, Any]) -> None:
        """Create the container, take hold of its streams, start it. Raises APIError, GONE."""
        self._shared = shared
        try:
            self._container = self._daemon.client.containers.create(image, **arguments)
            self._give()
            self._attach()
            self._container.start()
        except BaseException:
            self._let_go()
            self._remove()
            raise
        assert self._output is not None
        self._reader = threading.Thread(target=self._output.pump, name="container output")
        self._reader.daemon = True
        self._reader.start()

    def where(self) -> Where:
        if not self._daemon.shares_files:
            reason = f"the cell runs on the machine of the {self._daemon.words}"
            return Where(None, elsewhere=True, reason=reason)
        if self._container is None:
            return Where(None, reason=self._lost or "it was not started")
        try:
            state = self._daemon.client.api.inspect_container(self._container.id)["State"]
        except (APIError, *GONE):
            return Where(None, reason=f"{self._daemon.service} did not tell its process")
        pid = int(state["Pid"])
        return Where(pid or None, self._container.id, reason="" if pid else "it has ended")

    def known(self) -> dict[str, str]:
        return {"container": self._container.id} if self._container is not None else {}

    def ended(self) -> bool:
        return bool(self._exit or self._lost or self._state)

    def lose(self, why: str) -> None:
        """It could not be started, and that was not its own fault."""
        self._lost = why

    def read(self, timeout_s: float) -> bytes | None:
        return self._output.read(timeout_s) if self._reader and self._output else None

    def ask_to_stop(self, status: Status, reason: str) -> None:
        self._asked = True
        message = json.dumps({"status": status, "reason": reason}).encode()
        try:
            if self._mounted:
                write_atomically(self._order.folder / "stop.json", message)
            elif self._container is not None:
                self._container.put_archive(CELL, archives.one_file("stop.json", message))
        except (OSError, APIError, *GONE):
            pass  # without the file it stops as cancelled
        self._signal("SIGTERM")

    def kill(self) -> None:
        self._asked = True
        self._signal("SIGKILL")

    def wait(self) -> Exit:
        with self._once:
            if self._exit is None:
                self._exit = self._finish()
            return self._exit

    @property
    def _mounted(self) -> bool:
        return any(m.target == CELL and m.kind == "bind" for m in self._shared.mounts)

    def _attach(self) -> None:
        asked = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        attached = self._daemon.client.api.attach_socket(self._container.id, params=asked)
        self._connection = Connection(attached)
        self._output = Output(self._connection, self._order.folder / "stderr.txt", self._at_end)

    def _let_go(self) -> None:
        """Of the container's streams; its standard input ends with this."""
        if self._connection is not None:
            self._connection.close()
        if self._output is not None:
            self._output.close()

    def _signal(self, name: str) -> None:
        if self._container is not None:
            _quietly(lambda: self._container.kill(name))

    def _at_end(self) -> None:
        """On the reader's thread, after the last byte: what the daemon says of the end."""
        try:
            self._state = self._await_state()
        except GONE:
            self._lost = f"{self._daemon.service} went away"
        except NotFound:
            self._lost = "somebody removed its container"
        except APIError as error:
            self._lost = f"{self._daemon.service} can't tell how it ended: {error.explanation}"

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
        unasked = state["ExitCode"] in (_TERMINATED, _KILLED) and not self._asked
        if unasked and not state["OOMKilled"]:
            self._outlast()
        return state

    def _outlast(self) -> None:
        """Who ends a daemon or removes a container ends its processes first: wait a moment.

        Raises ConnectionError or NotFound when that was it.
        """
        if self._daemon.goes_away_within(_GOING_AWAY_S):
            raise ConnectionError
        state = self._daemon.client.api.inspect_container(self._container.id)["State"]
        if state.get("Dead") or state.get("Status") == "removing":
            raise NotFound("it is being removed")

    def _finish(self) -> Exit:
        while self.read(1.0) is not None:
            pass
        if self._reader is not None:
            self._reader.join()
        self._let_go()
        if self._lost:
            self._await_daemon()
        ended = self._judge()
        try:
            self._take()
        except (APIError, *GONE):
            if not ended.lost:
                ended = Exit(code=0, lost="its results could not be fetched")
        finally:
            self._remove()
        return ended

    def _await_daemon(self) -> None:
        """Wait for a daemon that is away, unless we are asked to end. Raises EngineGoneError."""
        if not self._daemon.answers():
            self._tell(LogLine(f"{self._lost}; waiting for it to come back", "important"))
        if not self._daemon.comes_back(lambda: self._asked) and not self._asked:
            raise EngineGoneError(
                f"{self._lost} and did not come back. Start it and run again: finished cells "
                "are kept"
            )
        self._signal("SIGKILL")  # a daemon can be restarted without ending its containers

    def _judge(self) -> Exit:
        if self._lost or self._state is None:
            return Exit(code=0, lost=self._lost or f"{self._daemon.service} does not know it")
        code = int(self._state["ExitCode"])
        if code == _ABANDONED and not self._asked:
            return Exit(code=0, lost="the connection to its container broke off")
        if code == _OUT_OF_MEMORY:
            return Exit(code=_KILLED, signal=signal.SIGKILL, oom=True)
        by = code - 128
        return Exit(
            code=code,
            signal=by if by in signal.valid_signals() else 0,
            oom=(code == _KILLED or self._survived_oom(code)) and self._ran_out_of_memory(),
        )

    def _survived_oom(self, code: int) -> bool:
        """Whether it failed by itself some time after a process in it was killed for memory.

        Asked of the state, which has long been told: the events of a second that goes on
        would have to be waited for.
        """
        assert self._state is not None
        return 0 < code < 128 and bool(self._state["OOMKilled"])

    def _ran_out_of_memory(self) -> bool:
        """The daemon's word for it: an event at the end, else what the state says.

        The state also tells of a child that was killed for it long before somebody killed
        the cell.
        """
        assert self._state is not None
        started_s, ended_s = (_seconds(self._state[key]) for key in ("StartedAt", "FinishedAt"))
        try:
            events = self._daemon.client.events(
                since=int(started_s),
                until=int(ended_s) + 1,
                filters={"container": self._container.id, "event": "oom"},
                decode=True,
            )
            times_s = [event["timeNano"] / 1e9 for event in events]
        except (APIError, *GONE):
            times_s = []
        if not times_s:
            return bool(self._state["OOMKilled"])
        return bool(ended_s - max(times_s) < _OOM_WITHIN_S)

    def _give(self) -> None:
        """Root's own folder is handed to the user who runs inside, for as long as it runs."""
        if self._mounted and os.getuid() == 0:
            user, group = outside(self._daemon)
            for path in entries(self._order.folder):
                with where_possible("files can't be given to another user here"):
                    os.chown(path, user, group, follow_symlinks=False)

    def _take(self) -> None:
        """Results out of the volume, or back into our own hands."""
        if self._mounted:
            claim(self._order.folder)
        elif self._container is not None:
            chunks, _ = self._container.get_archive(CELL)
            archives.unpack_results(chunks, self._order.folder)

    def _remove(self) -> None:
        if self._container is not None:
            _quietly(lambda: self._container.remove(force=True, v=True))
        api = self._daemon.client.api
        for name in self._shared.volumes:
            _quietly(functools.partial(api.remove_volume, name, force=True))


def _seconds(time: str) -> float:
    """A time as the daemon writes it, in seconds since 1970; its event calls take no other."""
    return datetime.datetime.fromisoformat(time).timestamp()


def _quietly(action: Callable[[], object]) -> None:
    """What can't be done now has been done by somebody else, or is left to the reaping."""
    try:
        action()
    except (APIError, *GONE):
        pass
