"""The progress of a run: a bar on a terminal, a line a cell elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from cli.standard_streams import reader_gone
from manifests import event
from orchestrator.messages import CellEnded, CellEvent, CellStarted, News, Note, RunStarted
from services.phrases import count, duration, printable

if TYPE_CHECKING:
    from tui.run_state import Course

# A refresh costs a few milliseconds of a core that may be being measured.
REFRESH_S = 1.0
PLAIN_S = 10.0


class Progress:
    """A listener that shows a run on ``console`` (rich), on standard error."""

    def __init__(self, console: Any, verbose: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._bar: Any = None
        self._task: Any = None
        self._total = self._number = 0
        self._done_estimate = self._done_wall = self._estimate = 0.0
        self._started = time.monotonic()
        self._cell_started = self._refreshed = 0.0
        self._phase = ""
        self._step = (0, 0)
        self._skipped: list[str] = []
        self._why_skipped = ""
        self._unheard = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *details: object) -> None:
        self._tell_skipped()
        if self._bar is not None:
            self._bar.stop()

    def __call__(self, news: News) -> None:
        if isinstance(news, CellEvent):
            self._event(news)
        elif isinstance(news, Note):
            self._note(news)
        elif isinstance(news, RunStarted):
            self._run(news)
        elif isinstance(news, CellStarted):
            self._cell(news)
        else:
            self._end(news)

    def join_in(self, course: Course) -> None:
        """Go on from what the screen has seen of the run already."""
        self._total, self._number = course.total, course.ended + len(course.running)
        self._estimate = course.whole_estimate_s
        self._done_estimate, self._done_wall = course.done_estimate_s, course.done_wall_s
        for cell in course.running.values():
            self._cell_started, self._phase = cell.began_s, cell.phase

    def _note(self, note: Note) -> None:
        """Details pass by beside the bar, or stay as lines when asked for."""
        if note.level != "detail" or self._verbose:
            self._line(note.text)
        else:
            self._show_work(note)

    def _show_work(self, note: Note) -> None:
        """Work that is no cell (a build, a download) fills the bar by its own steps."""
        if not self._console.is_terminal:
            self._tell_work(note)
        elif not note.of:
            self._show(note.text)
        elif self._due():
            self._draw(note.text, note.of, note.done, f"{note.of - note.done} steps")

    def _tell_work(self, note: Note) -> None:
        """Where no bar can be drawn: a line for each step, and one now and then between them."""
        now = time.monotonic()
        step = (note.done, note.of)
        if (note.of and step != self._step) or now - self._refreshed >= PLAIN_S:
            self._step, self._refreshed = step, now
            self._line(note.text)

    def _run(self, news: RunStarted) -> None:
        self._total = len(news.todo)
        self._estimate = sum(planned.estimate_s for planned in news.todo if not planned.skip)
        if not news.todo:
            self._line(f"{count(news.kept, 'cell')} done already; nothing to run")
            return
        kept = f"; {news.kept} done already" if news.kept else ""
        cells = count(self._total, "cell")
        self._line(f"{cells} to run, about {duration(self._estimate)}{kept}")

    def _cell(self, news: CellStarted) -> None:
        self._number += 1
        self._cell_started = time.monotonic()
        self._phase = "starting"
        if news.again:
            self._line(f"again: {news.planned.cell.title}: {news.again}")
        self._refreshed = 0.0
        self._show(news.planned.cell.title)

    def _event(self, news: CellEvent) -> None:
        happened = news.event
        if isinstance(happened, event.Phase):
            self._phase = happened.name
            self._refreshed = 0.0  # a phase may be silent for long, so its name is shown at once
        elif isinstance(happened, event.Warning):
            self._line(f"{news.planned.cell.title}: {happened.text}")
        detail = ""
        if isinstance(happened, event.Step):
            of = f"/{happened.of}" if happened.of else ""
            loss = f" loss {happened.loss:.3f}" if happened.loss is not None else ""
            detail = f" {happened.step}{of}{loss}"
        self._show(f"{news.planned.cell.title} · {self._phase}{detail}", news.planned.estimate_s)

    def _end(self, news: CellEnded) -> None:
        manifest = news.manifest
        if not news.planned.skip:
            self._done_estimate += news.planned.estimate_s
            self._done_wall += time.monotonic() - self._cell_started
        reason = f" ({manifest.reason})" if manifest.reason else ""
        took = f" {duration(manifest.wall_s)}" if manifest.status == "ok" else ""
        left = f" · {duration(self._remaining_s())} left" if self._number < self._total else ""
        title = news.planned.cell.title
        line = f"[{self._number}/{self._total}] {title}: {manifest.status}{reason}{took}{left}"
        if news.planned.skip and not self._verbose:
            self._skip(line, f"{manifest.status}{reason}")
        else:
            self._line(line)

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

    def _remaining_s(self, current: float = 0.0) -> float:
        """The estimates still open, at the pace that this run has shown so far."""
        pace = self._done_wall / self._done_estimate if self._done_estimate else 1.0
        return max(0.0, (self._estimate - self._done_estimate - current) * pace)

    def _line(self, text: str) -> None:
        """Raises KeyboardInterrupt once nobody reads any more, as with ``2>&1 | head``."""
        self._tell_skipped()
        self._console.print(printable(text, lines=True), markup=False)
        if reader_gone(self._console.file) and not self._unheard:
            self._unheard = True
            raise KeyboardInterrupt

    def _show(self, text: str, estimate_s: float = 0.0) -> None:
        """Put ``text`` beside the bar of the whole run."""
        if self._due():
            current = min(time.monotonic() - self._cell_started, estimate_s)
            left = duration(self._remaining_s(current)) if self._estimate else "?"
            self._draw(text, self._estimate or 1.0, self._done_estimate + current, left)

    def _due(self) -> bool:
        """At most once in REFRESH_S, except for what is new."""
        now = time.monotonic()
        if not self._console.is_terminal or now - self._refreshed < REFRESH_S:
            return False
        self._refreshed = now
        return True

    def _draw(self, text: str, total: float, completed: float, left: str) -> None:
        if self._bar is None:
            self._bar, self._task = _make_bar(self._console)
        self._bar.update(
            self._task,
            description=printable(text),
            total=total,
            completed=completed,
            left=left,
        )
        self._bar.refresh()


def _make_bar(console: Any) -> tuple[Any, Any]:
    """The description gives way on a narrow terminal; bar, percentage and rest stay."""
    from rich import progress
    from rich.table import Column

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
    return bar, bar.add_task("", total=1.0, left="?")
