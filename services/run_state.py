"""The state of a run: what its messages add up to. Bounded, however long the run.

The same for a run that goes on and for a recording: both only feed messages in.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from manifests import event
from manifests.flags import PHASES
from manifests.plan import PlannedCell
from orchestrator.messages import CellEnded, CellEvent, CellStarted, LogLine, RunMessage, RunStarted

KEPT_READINGS = 2000
_KEPT_NOTES = 500


@dataclass
class CellState:
    """One cell. ``state`` is "waiting", "running", or the status of its manifest."""

    planned: PlannedCell
    state: str = "waiting"
    reason: str = ""
    began_s: float = 0.0
    took_s: float = 0.0
    phase: str = ""
    step: int = 0
    of: int | None = None
    epoch: str = ""
    losses: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_READINGS))
    rates: deque[float] = field(default_factory=lambda: deque(maxlen=KEPT_READINGS))

    @property
    def share(self) -> float | None:
        """How much of the phase is behind, where its steps are counted."""
        return min(1.0, self.step / self.of) if self.of else None


class RunState:
    """Takes messages, one after another, each with the time (seconds) at which it came.

    ``outcome`` is "" as long as it goes on, and for a recording. ``aim`` says what is measured
    again, and why; "" as long as everything is measured for the first time.
    """

    def __init__(self, chosen: Sequence[PlannedCell] = ()) -> None:
        self.cells: dict[str, CellState] = {planned.id: CellState(planned) for planned in chosen}
        self.notes: deque[str] = deque(maxlen=_KEPT_NOTES)
        self.work: LogLine | None = None
        self.queued: list[str] = []
        self.running: dict[str, CellState] = {}
        self.latest: CellState | None = None
        self.began_s: float | None = None
        self.ended = self.failed = self.cancelled = 0
        self.done_estimate_s = self.done_wall_s = self.whole_estimate_s = 0.0
        self.outcome = self.why = self.aim = ""
        self._over_s: float | None = None

    @property
    def total(self) -> int:
        return len(self.queued)

    @property
    def done(self) -> int:
        """The cells that need not run again: a cancelled one has to."""
        return self.ended - self.cancelled

    @property
    def shown(self) -> CellState | None:
        """The cell to look at: the first that runs, else the one that ended last."""
        return next(iter(self.running.values()), self.latest)

    @property
    def timing(self) -> bool:
        """Whether a cell is in a phase whose time is a result."""
        return any(cell.phase in PHASES for cell in self.running.values())

    def take(self, message: RunMessage, now_s: float) -> None:
        """Add one message."""
        if isinstance(message, CellEvent):
            self._event(message)
        elif isinstance(message, LogLine):
            self._note(message)
        elif isinstance(message, RunStarted):
            self._run(message, now_s)
        elif isinstance(message, CellStarted):
            self._start(message, now_s)
        else:
            self._end(message, now_s)

    def elapsed_s(self, now_s: float) -> float:
        if self.began_s is None:
            return 0.0
        return (now_s if self._over_s is None else self._over_s) - self.began_s

    def finish(self, outcome: str, why: str, now_s: float) -> None:
        """Nothing runs any more. ``outcome``: done, paused, cancelled or failed, with the reason.

        A cell that was running and told no end has left no manifest: it is still to do.
        """
        self.outcome, self.why, self._over_s, self.work = outcome, why, now_s, None
        if why:  # in full, where a line of a narrow screen has no room for it
            self.notes.append(f"{outcome}: {why}")
        for cell in self.running.values():
            cell.state, cell.took_s = "waiting", now_s - cell.began_s
            self.latest = cell
        self.running.clear()

    def counts(self) -> dict[str, int]:
        """How many of the queued cells have come to what."""
        return dict(Counter(self.cells[id_].state for id_ in self.queued))

    def remaining_s(self, now_s: float) -> float:
        """The estimates still open, at the pace that this run has shown so far."""
        pace = self.done_wall_s / self.done_estimate_s if self.done_estimate_s else 1.0
        return max(0.0, self.whole_estimate_s - self.done_estimate_s - self._current(now_s)) * pace

    def share(self, now_s: float) -> float:
        """How much of the run is behind, by its estimates."""
        if not self.whole_estimate_s:
            return self.ended / self.total if self.total else 0.0
        behind = self.done_estimate_s + self._current(now_s)
        return min(1.0, behind / self.whole_estimate_s)

    def _current(self, now_s: float) -> float:
        return sum(
            min(now_s - cell.began_s, cell.planned.estimate_s) for cell in self.running.values()
        )

    def _note(self, note: LogLine) -> None:
        if note.level == "detail":
            self.work = note
            return
        self.work = None
        self.aim = note.text if note.level == "aim" else self.aim
        self.notes.append(note.text)

    def _run(self, message: RunStarted, now_s: float) -> None:
        """A run that measures again tells of further cells each time."""
        self.began_s = now_s if self.began_s is None else self.began_s
        self.queued += [planned.id for planned in message.todo]
        for planned in message.todo:
            self.cells[planned.id] = CellState(planned)
        self.whole_estimate_s += sum(p.estimate_s for p in message.todo if not p.skip)

    def _start(self, message: CellStarted, now_s: float) -> None:
        self.work = None
        planned = message.planned
        if planned.id not in self.cells or self.cells[planned.id].state != "waiting":
            self.cells[planned.id] = CellState(planned)
        cell = self.cells[planned.id]
        cell.state, cell.phase, cell.began_s = "running", "starting", now_s
        self.running[planned.id] = cell
        if message.again:
            self.notes.append(f"again: {planned.cell.title}: {message.again}")

    def _event(self, message: CellEvent) -> None:
        cell = self.running.get(message.planned.id)
        if cell is None:
            return
        happened = message.event
        if isinstance(happened, event.Phase):
            cell.phase = happened.name
            cell.step, cell.of = 0, None
        elif isinstance(happened, event.Step):
            cell.step, cell.of = happened.step, happened.of
            if happened.loss is not None:
                cell.losses.append(happened.loss)
            if happened.items_per_s is not None:
                cell.rates.append(happened.items_per_s)
        elif isinstance(happened, event.Epoch):
            cell.epoch = f"{happened.epoch} of {happened.of}"
        elif isinstance(happened, event.Warning):
            self.notes.append(f"{message.planned.cell.title}: {happened.text}")

    def _end(self, message: CellEnded, now_s: float) -> None:
        planned, manifest = message.planned, message.manifest
        cell = self.running.pop(planned.id, None) or self.cells.setdefault(
            planned.id, CellState(planned)
        )
        cell.state, cell.reason, cell.took_s = manifest.status, manifest.reason, manifest.wall_s
        self.latest = cell
        self.ended += 1
        self.cancelled += manifest.status == "cancelled"
        self.failed += manifest.status not in ("ok", "unsupported", "cancelled")
        if not planned.skip and manifest.status != "cancelled":
            self.done_estimate_s += planned.estimate_s
            self.done_wall_s += now_s - cell.began_s
        reason = f" ({manifest.reason})" if manifest.reason else ""
        self.notes.append(f"{planned.cell.title}: {manifest.status}{reason}")
