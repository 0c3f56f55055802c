"""One attempt at one cell: start it, follow it, and see to it that it leaves a manifest."""

from __future__ import annotations

import datetime
import math
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from manifests.cell import Cell
from manifests.codec import UnreadableError, encode_manifest, read_manifest, write_manifest
from manifests.credentials import cleaned, redact_file
from manifests.event import Event
from manifests.files import write_atomically
from manifests.manifest import Context, Environment, Inputs, Manifest, Status
from manifests.plan import PlannedCell
from orchestrator.engines import Exit, Running
from orchestrator.running.event_reader import EventReader
from orchestrator.telemetry.merge import completed
from orchestrator.telemetry.recorder import Record, Recorder

GRACE_S = 15.0
_TICK_S = 1.0
_TAIL_BYTES = 4000
# What a C++ program says when an allocation failed and nobody caught it.
_BAD_ALLOC = "std::bad_alloc"
_KEPT_TEXTS = ("log.txt", "stderr.txt")


def write_inputs(folder: Path, cell: Cell, context: Context) -> None:
    """cell.json and context.json. Raises OSError."""
    folder.mkdir(parents=True)
    write_atomically(folder / "cell.json", msgspec.json.encode(cell) + b"\n")
    write_atomically(folder / "context.json", msgspec.json.encode(context) + b"\n")


class Attempt:
    """Follows a running cell to its manifest; ``cancel`` and ``kill`` come from other threads."""

    def __init__(
        self,
        planned: PlannedCell,
        folder: Path,
        context: Context,
        recorder: Recorder | None = None,
    ) -> None:
        self.planned = planned
        self.folder = folder
        self.context = context
        self._recorder = recorder
        self._record: Record | None = None
        self._begin = time.monotonic()
        self._started_at = _now()
        self.strays = 0  # lines on its standard output that were no events
        self.lost = ""  # why the engine lost it, when it did
        self._asked: tuple[Status, str] | None = None
        self._kill_at = self._ask_again_at = math.inf
        self._running: Running | None = None
        self._asking = threading.Lock()

    def follow(self, running: Running, on_event: Callable[[Event], None]) -> Manifest:
        """Until it ends, times out or is cancelled; its manifest, written by it or by us.

        Raises OSError when nothing can be written, after ending the cell.
        """
        reader = self._reader(running)
        self._begin_following(running)
        try:
            if self._recorder is not None:
                self._recorder.begin(running.where())
            self._pump(running, reader, on_event)
        except BaseException as error:
            self._stop_for(running, error)
            raise
        finally:
            reader.close()
            self.strays = reader.strays
            try:
                ended = running.wait()
            finally:
                if self._recorder is not None:
                    self._record = self._recorder.finish()
            self._running = None
        for name in _KEPT_TEXTS:
            redact_file(self.folder / name)
        manifest = self._manifest(ended)
        # What the cell itself had settled stands, whatever became of the engine afterwards.
        self.lost = ended.lost if manifest.transient else ""
        return manifest

    def _reader(self, running: Running) -> EventReader:
        try:
            return EventReader(self.folder / "events.jsonl")
        except OSError:
            running.kill()
            running.wait()
            raise

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
        self, running: Running, reader: EventReader, on_event: Callable[[Event], None]
    ) -> None:
        while True:
            chunk = running.read(_TICK_S)
            if chunk is None:
                return
            for event in reader.feed(chunk):
                if self._recorder is not None:
                    self._recorder.heard(event)
                on_event(event)
            self._watch_the_clock(running)

    def _watch_the_clock(self, running: Running) -> None:
        now = time.monotonic()
        if self._asked is not None:
            self._insist(running, self._asked, now)
        elif now - self._begin >= self.planned.timeout_s:
            limit = self.planned.timeout_s
            self._ask("timeout", f"not finished within its {limit:g} s")

    def _insist(self, running: Running, asked: tuple[Status, str], now: float) -> None:
        """Ask again: a process that was only being started has not heard it. Then kill."""
        if now >= self._kill_at:
            running.kill()
        elif now >= self._ask_again_at:
            self._ask_again_at = now + _TICK_S
            running.ask_to_stop(*asked)

    def _ask(self, status: Status, reason: str) -> None:
        with self._asking:
            if self._asked is not None:
                return
            self._asked = (status, reason)
            now = time.monotonic()
            self._kill_at, self._ask_again_at = now + GRACE_S, now + _TICK_S
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
        path = self.folder / "manifest.json"
        try:
            return self._complete(path, read_manifest(path))
        except FileNotFoundError:
            pass
        except UnreadableError:
            path.rename(path.with_name("manifest.unreadable.json"))
        status, reason, transient = self._judge(ended)
        return self.conclude(status, reason, transient, error=_tail(self.folder))

    def _complete(self, path: Path, manifest: Manifest) -> Manifest:
        """With what only the host knows of it. From here on it is never written again."""
        whole = cleaned(completed(manifest, self._record)).manifest
        if whole is not manifest:
            write_atomically(path, encode_manifest(whole))
        return whole

    def _judge(self, ended: Exit) -> tuple[Status, str, bool]:
        """The engine's word on why there is no manifest."""
        if self._asked is not None:
            status, reason = self._asked
            how = "had to be killed" if ended.signal == signal.SIGKILL else "left no manifest"
            return status, f"{reason}; it {how}", status == "cancelled"
        if ended.lost:
            return "crashed", ended.lost, True
        if ended.oom:
            return "oom", f"the kernel ended it: {ended.where}", False
        if ended.signal == signal.SIGABRT and _BAD_ALLOC in _tail(self.folder):
            return "oom", f"out of host memory: it ended itself with {_BAD_ALLOC}", False
        if ended.signal:
            outside = _from_outside(ended)
            where = " from outside the runner" if outside else ""
            return "crashed", f"ended by {_name(ended.signal)}{where}", outside
        return "crashed", f"ended with status {ended.code} and left no manifest", False

    def conclude(self, status: Status, reason: str, transient: bool, error: str = "") -> Manifest:
        """Write the manifest that the cell itself did not write."""
        cell = self.planned.cell
        weights = f"cell {cell.weights_from}" if cell.weights_from else "none"
        manifest = Manifest(
            id=cell.id,
            cell=cell,
            status=status,
            reason=reason,
            error=error,
            transient=transient,
            started_at=self._started_at,
            wall_s=time.monotonic() - self._begin,
            metrics=[],
            context=self.context,
            environment=Environment(),
            inputs=Inputs(weights=weights, seeds={"seed": cell.seed}),
        )
        manifest = cleaned(completed(manifest, self._record)).manifest
        write_manifest(self.folder / "manifest.json", manifest)
        return manifest


def _name(number: int) -> str:
    """SIGKILL and the like; real-time signals have no names."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _from_outside(ended: Exit) -> bool:
    """SIGKILL and SIGTERM come from somebody; SIGSEGV and its like from the cell itself."""
    return ended.signal in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)


def _tail(folder: Path) -> str:
    """The end of what it printed, for the error text."""
    for name in ("stderr.txt", "log.txt"):
        try:
            with open(folder / name, "rb") as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - _TAIL_BYTES))
                text = file.read().decode(errors="replace").strip()
        except OSError:
            continue
        if text:
            return text
    return ""


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
