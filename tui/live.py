"""What happens now, or happened when a replay plays it: the run, the machine, the log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from services.run_state import RunState
from tui.file_tail import FileTail
from tui.run_queue import Begun, Ended, Received, RunQueue
from tui.sampling import Sampling
from tui.states import tally
from tui.text import clock
from tui.views.machine import Trace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from manifests.plan import PlannedCell
    from manifests.run_folder import Run
    from orchestrator.running.request import Request
    from tui.replay import Replay

TIMED_BEAT_S = 15.0
"""Where a cell is timed the screen is drawn so rarely that it hardly takes anything from it."""


class Followed(NamedTuple):
    """What is new of the shown cell's log; ``anew`` when it is another cell than before."""

    lines: list[str]
    anew: bool
    notes: list[str]


class Live:
    """One run at a time is on it. Methods are for the screen's thread."""

    def __init__(self, replay: Replay | None, sample: bool) -> None:
        self.replay = replay
        self.run_state = RunState()
        self.trace = Trace()
        self.run: Run | None = replay.recording.run if replay else None
        self.request: Request | None = None
        self.sampling = Sampling(self.trace) if sample and replay is None else None
        self.queue = RunQueue(self.sampling.sampler if self.sampling else None)
        self._status = 0
        self._tails: list[FileTail] = []
        self._cell = ""

    @property
    def now_s(self) -> float:
        """The clock of what is shown: that of the run, or that of the replay."""
        return self.replay.now_s if self.replay is not None else time.monotonic()

    @property
    def moving(self) -> bool:
        """Whether there is something to watch."""
        return self.replay is not None or self.queue.active

    @property
    def timing(self) -> bool:
        """Whether a cell is being timed: where that is this machine, the screen takes its share."""
        return self.replay is None and self.queue.active and self.run_state.timing

    @property
    def rest_s(self) -> float:
        """How long the screen may stand still while nobody presses a key."""
        return TIMED_BEAT_S if self.timing else 0.0

    @property
    def status_line(self) -> str:
        """In a few words, what goes on."""
        if self.replay is not None:
            sign = "ended" if self.replay.ended else "held" if self.replay.paused else "replay"
            whole = clock(self.replay.recording.length_s)
            return f"{sign} {self.replay.speed:g}x  {clock(self.replay.now_s)} of {whole}"
        if not self.queue.active:
            return ""
        sign = "pausing" if self.queue.pausing else "running"
        sign = "cancelling" if self.queue.cancelling else sign
        waiting = len(self.queue.waiting)
        behind = f", {waiting} queued" if waiting else ""
        return f"{sign} {self.run_state.done}/{self.run_state.total}{behind}"

    @property
    def idle_words(self) -> str:
        """What stands where the running cell would."""
        if self.queue.active:
            return "getting ready …"
        state = self.run_state
        if state.outcome == "failed":
            return f"failed: {state.why}"
        if state.outcome == "done":
            return "nothing was left to do; R on screen 2 runs cells again"
        early = f"{state.outcome} before its first cell" if state.outcome else "nothing runs"
        return f"{early}; s on screen 2 starts cells"

    @property
    def no_readings(self) -> str:
        """What stands where the machine's readings would."""
        return "no telemetry was recorded" if self.replay else "no readings yet"

    def start(self, request: Request, run: Run, chosen: Sequence[PlannedCell]) -> None:
        """Run it, or queue it behind what runs."""
        if not self.queue.active:
            self._status = 0
        self.queue.add(request, run, chosen)

    def take_messages(self) -> list[Received]:
        """Take up what has come since the last call, and give it back."""
        received = self.replay.due() if self.replay else self.queue.inbox.drain()
        self._take(received)
        return received

    def exit_status(self) -> int:
        """As ``repliquant run`` would have ended; of several runs in a row, the worst."""
        if self.replay is None:
            self.take_messages()
        return self._status

    def follow(self) -> Followed:
        """The log, the notes and the telemetry of the cell that is shown."""
        shown = self.run_state.shown
        cell = shown.planned.id if shown else ""
        anew = cell != self._cell
        self._cell = cell
        if self.replay is not None:
            lines = self._replayed(self.replay, cell)
        else:
            lines = self._read(cell, anew)
        notes = list(self.run_state.notes)
        self.run_state.notes.clear()
        return Followed(lines, anew, notes)

    def hold(self) -> None:
        """Stop a replay, or go on."""
        if self.replay is not None:
            self.replay.hold()

    def change_speed(self, by: int) -> None:
        """The next speed of a replay, faster or slower."""
        from tui.replay import SPEEDS

        if self.replay is not None:
            faster = [s for s in SPEEDS if s > self.replay.speed] or [SPEEDS[-1]]
            slower = [s for s in SPEEDS if s < self.replay.speed] or [SPEEDS[0]]
            self.replay.speed = faster[0] if by > 0 else slower[-1]

    def skip(self, by: int) -> None:
        """To the beginning of the next cell of a replay, of this one, or of the one before."""
        if self.replay is None:
            return
        begins = sorted(played.begin_s for played in self.replay.recording.cells.values())
        now_s = self.replay.now_s
        ahead = [b for b in begins if b > now_s + 0.01] or [self.replay.recording.length_s]
        behind = [b for b in begins if b < now_s - 2.0 * self.replay.speed] or [0.0]
        self.seek(ahead[0] if by > 0 else behind[-1])

    def seek(self, time_s: float) -> None:
        """Go to a time of the replay; the run is as far as what had happened until then."""
        if self.replay is not None:
            self.run_state, self._cell = RunState(), "?"
            self._take(self.replay.seek(time_s))

    def _take(self, received: list[Received]) -> None:
        for message, at_s in received:
            if isinstance(message, Begun):
                self._begin(message)
            elif isinstance(message, Ended):
                self._end(message, at_s)
            else:
                self.run_state.take(message, at_s)

    def _begin(self, begun: Begun) -> None:
        notes = self.run_state.notes
        self.run, self.run_state, self._cell = begun.run, RunState(begun.chosen), "?"
        self.request = begun.request
        self.run_state.notes.extend(notes)

    def _end(self, ended: Ended, at_s: float) -> None:
        state = self.run_state
        left = state.done < state.total or ended.outcome is None
        outcome = "cancelled" if ended.cancelled else "paused"
        outcome = outcome if left and (ended.cancelled or ended.paused) else "done"
        state.finish("failed" if ended.error else outcome, ended.error, at_s)
        tallied = tally(state.counts())
        ended.told = f"{outcome.title()}: {tallied}." if tallied else f"{self.idle_words}."
        self._status = max(self._status, _status(ended))

    def _read(self, cell: str, anew: bool) -> list[str]:
        if anew:
            folder = self.run.cell_folder(cell) if self.run and cell else None
            names = ("log.txt", "stderr.txt") if folder else ()
            self._tails = [FileTail(folder / name) for name in names if folder]
        return [line for tail in self._tails for line in tail.lines()]

    def _replayed(self, replay: Replay, cell: str) -> list[str]:
        if replay.show(cell):
            self.trace.clear()
            self.trace.opening = replay.opening
        for sample in replay.samples():
            self.trace.add(sample)
        return replay.log_lines()


def _status(ended: Ended) -> int:
    """The exit status of one request."""
    cut_off = ended.outcome is not None and any(
        manifest.status == "cancelled" for manifest in ended.outcome.ended
    )
    return 130 if cut_off or (ended.cancelled and ended.outcome is None) else ended.status
