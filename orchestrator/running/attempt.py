"""One attempt at one cell: follow it to the manifest that its launcher seals.

Where the launcher was killed or its node was lost, what is there is sealed here.
"""

from __future__ import annotations

import datetime
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from machine import seal
from machine.recorder import recovered
from manifests.credentials import redact_file
from manifests.event import Event
from manifests.event_stream import EventStream
from manifests.files import write_atomically
from manifests.manifest import Manifest, Status
from manifests.order import FILE_NAME, GRACE_S, CellOrder
from orchestrator.engines.base import Exit
from orchestrator.engines.live_cells import Running
from orchestrator.running.far_events import FarEvents

_TICK_S = 1.0
_KEPT_TEXTS = ("log.txt", "stderr.txt")
_LATE_S = 2 * GRACE_S
"""The launcher keeps the time limit; so much later it is taken for one that hangs."""

_UNSUMMED = "its launcher ended before the series was summed up"


def write_inputs(folder: Path, order: CellOrder, durable: bool = True) -> None:
    """order.json, and cell.json and context.json for the runner. Raises OSError.

    Thousands that are handed over together needn't be ``durable``: what a power cut takes of them
    was not begun.
    """
    folder.mkdir(parents=True)
    inputs = {"cell.json": order.cell, "context.json": order.context, FILE_NAME: order}
    for name, what in inputs.items():
        data = msgspec.json.encode(what) + b"\n"
        if durable:
            write_atomically(folder / name, data)
        else:
            (folder / name).write_bytes(data)


class Attempt:
    """Follows a running cell to its manifest; ``cancel`` and ``kill`` come from other threads."""

    def __init__(self, order: CellOrder, folder: Path, began_at: str = "") -> None:
        """``began_at`` is when another process began it (ISO 8601); empty: now."""
        self.order = order
        self.folder = folder
        self._begin = time.monotonic() - _seconds_since(began_at)
        self._started_at = began_at or _now()
        self.strays = 0  # lines on its standard output that were no events
        self.lost = ""  # why the engine lost it, when it did
        self._asked: tuple[Status, str] | None = None
        self._kill_at = self._ask_again_at = math.inf
        self._running: Running | None = None
        self._asking = threading.Lock()

    def follow(self, running: Running, on_event: Callable[[Event], None]) -> Manifest:
        """Until it ends or is cancelled; its manifest, sealed by its launcher or by us.

        Raises OSError when nothing can be written, after ending the cell.
        """
        stream = EventStream()
        self._begin_following(running)
        try:
            self._pump(running, stream, on_event)
        except BaseException as error:
            self._stop_for(running, error)
            raise
        finally:
            self.strays = stream.strays
            ended = running.wait()
            self._running = None
        return self.end(ended)

    def end(self, ended: Exit) -> Manifest:
        """The manifest of a cell that has ended: its launcher's, or sealed here."""
        for name in _KEPT_TEXTS:
            redact_file(self.folder / name)
        manifest = self._manifest(ended)
        # What the cell itself had settled stands, whatever became of the engine afterwards.
        self.lost = ended.lost if manifest.transient else ""
        return manifest

    def cancel(self, reason: str) -> None:
        """Have the cell end as cancelled; it is killed when it has not after ``GRACE_S``."""
        self._ask("cancelled", reason)

    def kill(self) -> None:
        """End the cell now, or as soon as it has been started; it has been asked before."""
        self._kill_at = -math.inf
        running = self._running
        if running is not None:
            running.kill()

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked for its end."""
        return self._asked is not None and self._asked[0] == "cancelled"

    def _begin_following(self, running: Running) -> None:
        self._begin = time.monotonic()
        with self._asking:
            self._running = running
            asked = self._asked
        if asked is not None:  # cancelled while it was being started
            running.ask_to_stop(*asked)

    def _pump(
        self, running: Running, stream: EventStream, on_event: Callable[[Event], None]
    ) -> None:
        with FarEvents(self.folder) as far:
            while (chunk := running.read(_TICK_S)) is not None:
                for received in stream.feed(chunk):
                    far.keep(received.line)
                    on_event(received.event)
                self._watch_the_clock(running)

    def _watch_the_clock(self, running: Running) -> None:
        now, limit = time.monotonic(), self.order.timeout_s
        if self._asked is not None:
            self._insist(running, self._asked, now)
        elif limit is not None and now - self._begin >= limit + _LATE_S:
            self._ask("timeout", f"not finished within its {limit:g} s")

    def _insist(self, running: Running, asked: tuple[Status, str], now: float) -> None:
        """Ask again: a process that was only being started has not heard it. Then kill."""
        if now >= self._kill_at:
            running.kill()
        elif now >= self._ask_again_at:
            self._ask_again_at = now + _TICK_S
            running.ask_to_stop(*asked)

    def _ask(self, status: Status, reason: str) -> None:
        """The launcher kills the cell after ``grace_s`` and seals; we kill both, a little later."""
        with self._asking:
            if self._asked is not None:
                return
            self._asked = (status, reason)
            now = time.monotonic()
            self._kill_at, self._ask_again_at = now + 2 * self.order.grace_s, now + _TICK_S
            running = self._running
        if running is not None:
            running.ask_to_stop(status, reason)

    def _stop_for(self, running: Running, error: BaseException) -> None:
        """A disk that is full, or worse: end the cell before the error goes on."""
        try:
            self._ask("cancelled", str(error))
            while running.read(0.2) is not None and time.monotonic() < self._kill_at:
                pass
        finally:
            running.kill()

    def _manifest(self, ended: Exit) -> Manifest:
        """The launcher's, or what there is, sealed here."""
        sealed = seal.left(self.folder, seal.MANIFEST)
        if sealed is not None:
            return sealed
        own = seal.left(self.folder)
        if own is not None:
            return self._seal(own)
        said = seal.last_words(self.folder)
        limit_bytes = self.order.cell.memory_limit_bytes
        verdict = seal.judge(self._end(ended), said, limit_bytes)
        return self.conclude(*verdict, error=said)

    def _end(self, ended: Exit) -> seal.End:
        oom = ended.where if ended.oom else ""
        asked = self._asked or ended.verdict
        return seal.End(ended.code, ended.signal, oom, ended.lost, asked)

    def conclude(self, status: Status, reason: str, transient: bool, error: str = "") -> Manifest:
        """Write the manifest of a cell that left no word itself."""
        order = self.order
        verdict = seal.Verdict(status, reason, transient)
        wall_s = time.monotonic() - self._begin
        return self._seal(
            seal.concluded(order.cell, order.context, verdict, self._started_at, wall_s, error)
        )

    def _seal(self, manifest: Manifest) -> Manifest:
        record = recovered(self.folder, _UNSUMMED)
        return seal.seal(self.folder, seal.joined(manifest, record), "collector")


def _seconds_since(moment: str) -> float:
    if not moment:
        return 0.0
    now = datetime.datetime.now(datetime.UTC)
    return max(0.0, (now - datetime.datetime.fromisoformat(moment)).total_seconds())


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
