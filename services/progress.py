"""The progress of a run: a bar on a terminal, a line a cell elsewhere."""

from __future__ import annotations

import dataclasses
import time

from rich import progress
from rich.console import Console
from rich.table import Column

from manifests import event
from orchestrator.messages import CellEnded, CellEvent, CellStarted, LogLine, RunMessage, RunStarted
from orchestrator.planning.obstacles import lacks_gpu
from services.phrases import count, duration, printable
from services.run_state import RunState
from services.skipped_cells import without_gpu
from services.standard_streams import reader_gone

# A refresh costs a few milliseconds of a core that may be being measured.
REFRESH_S = 1.0
PLAIN_S = 10.0


class Progress:
    """A listener that shows a run on ``console``, on standard error.

    ``state`` is what is known of the run already, where it was watched elsewhere before.
    """

    def __init__(
        self, console: Console, verbose: bool = False, state: RunState | None = None
    ) -> None:
        self.state = state or RunState()
        self._console = console
        self._verbose = verbose
        self._bar: progress.Progress | None = None
        self._task = progress.TaskID(0)
        self._refreshed = 0.0
        self._step = (0, 0)
        self._skipped: list[str] = []
        self._why_skipped = ""
        self._unheard = False
        self._without_gpu = _Lacking()

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *details: object) -> None:
        self._tell_skipped()
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, message: RunMessage) -> None:
        further = self.state.began_s is not None
        self.state.take(message, time.monotonic())
        if isinstance(message, CellEvent):
            self._event(message)
        elif isinstance(message, LogLine):
            self._note(message)
        elif isinstance(message, RunStarted):
            self._run(message, further)
        elif isinstance(message, CellStarted):
            self._cell(message)
        else:
            self._end(message)

    @property
    def _number(self) -> int:
        """How many cells have begun, of those that can run here."""
        return self.state.ended + len(self.state.running) - self._without_gpu.ended

    @property
    def _total(self) -> int:
        return self.state.total - self._without_gpu.total

    def _note(self, note: LogLine) -> None:
        """Details pass by beside the bar, or stay as lines when asked for."""
        if note.level != "detail" or self._verbose:
            self._line(note.text)
        else:
            self._show_work(note)

    def _show_work(self, note: LogLine) -> None:
        """Work that is no cell (a build, a download) fills the bar by its own steps."""
        if not self._console.is_terminal:
            self._tell_work(note)
        elif not note.of:
            self._show(note.text)
        elif self._due():
            self._draw(note.text, note.of, note.done, f"{note.of - note.done} steps")

    def _tell_work(self, note: LogLine) -> None:
        """Where no bar can be drawn: a line for each step, and one now and then between them."""
        now = time.monotonic()
        step = (note.done, note.of)
        if (note.of and step != self._step) or now - self._refreshed >= PLAIN_S:
            self._step, self._refreshed = step, now
            self._line(note.text)

    def _run(self, started: RunStarted, further: bool) -> None:
        self._without_gpu.total += sum(lacks_gpu(one.skip) for one in started.todo)
        if further:  # an aim has said so
            return
        if not started.todo:
            self._line(f"{count(started.kept, 'cell')} done already; nothing to run")
            return
        kept = f"; {started.kept} done already" if started.kept else ""
        if self._total:
            cells, about = count(self._total, "cell"), duration(self.state.whole_estimate_s)
            self._line(f"{cells} to run, about {about}{kept}")
        lacking = without_gpu(started.todo)
        if lacking:
            self._line(f"left out: {lacking}")

    def _cell(self, started: CellStarted) -> None:
        title = started.planned.cell.title
        if started.again:
            self._line(f"again: {title}: {started.again}")
        self._refreshed = 0.0
        self._show(title)

    def _event(self, message: CellEvent) -> None:
        happened, title = message.event, message.planned.cell.title
        if isinstance(happened, event.Phase):
            self._refreshed = 0.0  # a phase may be silent for long, so its name is shown at once
        elif isinstance(happened, event.Warning):
            self._line(f"{title}: {happened.text}")
        cell = self.state.running.get(message.planned.id)
        phase = cell.phase if cell is not None else ""
        self._show(f"{title} · {phase}{_step(happened)}")

    def _end(self, ended: CellEnded) -> None:
        manifest = ended.manifest
        self._without_gpu.ended += lacks_gpu(ended.planned.skip)
        reason = f" ({manifest.reason})" if manifest.reason else ""
        took = f" {duration(manifest.wall_s)}" if manifest.status == "ok" else ""
        left = f" · {duration(self._left_s())} left" if self._number < self._total else ""
        title = ended.planned.cell.title
        line = f"[{self._number}/{self._total}] {title}: {manifest.status}{reason}{took}{left}"
        if lacks_gpu(ended.planned.skip) and not self._verbose:
            return  # all of them were named when the run began
        if ended.planned.skip and not self._verbose:
            self._skip(line, f"{manifest.status}{reason}")
        else:
            self._line(line)

    def _left_s(self) -> float:
        return self.state.remaining_s(time.monotonic())

    def _skip(self, line: str, why: str) -> None:
        """Cells that can't run here for one reason pass by as one line."""
        if why != self._why_skipped:
            self._tell_skipped()
        self._why_skipped = why
        self._skipped.append(line)

    def _tell_skipped(self) -> None:
        lines, self._skipped = self._skipped, []
        if len(lines) == 1:
            self._line(lines[0])
        elif lines:
            last = lines[-1].partition("]")[0].lstrip("[")
            self._line(f"[{last}] {count(len(lines), 'cell')}: {self._why_skipped}")

    def _line(self, text: str) -> None:
        """Raises KeyboardInterrupt once nobody reads any more, as with ``2>&1 | head``."""
        self._tell_skipped()
        self._console.print(printable(text, lines=True), markup=False)
        if reader_gone(self._console.file) and not self._unheard:
            self._unheard = True
            raise KeyboardInterrupt

    def _show(self, text: str) -> None:
        """Put ``text`` beside the bar of the whole run."""
        if self._due():
            whole_s = self.state.whole_estimate_s
            left = duration(self._left_s()) if whole_s else "?"
            self._draw(text, 1.0, self.state.share(time.monotonic()), left)

    def _due(self) -> bool:
        """At most once in REFRESH_S, except for what is new."""
        now = time.monotonic()
        if not self._console.is_terminal or now - self._refreshed < REFRESH_S:
            return False
        self._refreshed = now
        return True

    def _draw(self, text: str, total: float, completed: float, left: str) -> None:
        if self._bar is None:
            self._bar = _make_bar(self._console)
            self._task = self._bar.add_task("", total=1.0, left="?")
        shown = printable(text)
        self._bar.update(self._task, description=shown, total=total, completed=completed, left=left)
        self._bar.refresh()


@dataclasses.dataclass
class _Lacking:
    """How many cells need a GPU that this machine lacks; they are over as soon as they begin."""

    total: int = 0
    ended: int = 0


def _step(happened: event.Event) -> str:
    """`` 5/20 loss 2.500``; nothing for what is no step."""
    if not isinstance(happened, event.Step):
        return ""
    of = f"/{happened.of}" if happened.of else ""
    loss = f" loss {happened.loss:.3f}" if happened.loss is not None else ""
    return f" {happened.step}{of}{loss}"


def _make_bar(console: Console) -> progress.Progress:
    """The description gives way on a narrow terminal; bar, percentage and rest stay."""
    shortened = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    bar = progress.Progress(
        progress.TextColumn("{task.description}", markup=False, table_column=shortened),
        progress.BarColumn(bar_width=24 if console.width >= 100 else 12),
        progress.TaskProgressColumn(table_column=Column(no_wrap=True)),
        progress.TextColumn("{task.fields[left]} left", table_column=Column(no_wrap=True)),
        expand=True,
        console=console,
        auto_refresh=False,
        transient=True,
    )
    bar.start()
    return bar
