"""What is said of a line of results, or of a cell: below the list, to copy, and of its attempts."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.text import Text

from comparisons.number_flags import named
from comparisons.render import TEXT_FORMATS, values
from manifests.codec import UnreadableError
from manifests.run_folder import Run
from services.citations import line_citation, paper_citation
from services.phrases import duration
from services.shown_commands import show_command, table_command
from tui.copying import Copied
from tui.states import state
from tui.text import MARK, safe

if TYPE_CHECKING:
    from comparisons.comparison import Comparison, Line
    from manifests.manifest import Manifest
    from manifests.plan import PlannedCell
    from tui.loaders import ShownRun

_ATTEMPT = re.compile(r"\.attempt-(\d+)$")


class Attempt(NamedTuple):
    """``key`` is the name of its folder."""

    key: str
    words: str


def searched(line: Line) -> str:
    """The text of a line that a filter looks at."""
    told = [*line.key.values(), line.quantity, values.published(line), values.measured(line)]
    return " ".join([*told, *line.flags, line.state])


def about_line(comparison: Comparison, line: Line | None, view: str) -> Text:
    """The table's title; then the reason or the flags of the line, else the table's notes."""
    text = Text(f"{safe(comparison.title)}", "bold")
    text.append(f" ({safe(comparison.place)})   {view}\n", "dim not bold")
    state_ = safe(values.one_line(line.state)) if line and line.measured is None else ""
    flags = f"flags: {safe(named(line.flagged), 1000)}" if line and line.flagged else ""
    told = state_ or flags
    note = told or safe(comparison.note, 1000) or safe(comparison.scope_note, 1000)
    return text.append(note, "not bold" if told else "dim not bold")


def about_cell(cell: PlannedCell, manifest: Manifest | None) -> Text:
    """Its id, its flags, and why it has no result."""
    text = Text(f"cell {cell.id}", "bold")
    names = dict.fromkeys(flag.name for flag in manifest.flags) if manifest else ()
    text.append(f"   {MARK} {safe(', '.join(names), 400)}" if names else "", "not bold")
    reason = manifest.reason if manifest else cell.skip
    return text.append(f"\n{safe(reason, 1000)}", "not bold")


def line_copies(results: ShownRun, comparison: Comparison, line: Line | None) -> Sequence[Copied]:
    """The number, its citation, the row, and the table as a command and as Markdown."""
    table = [
        Copied("m", "the command that shows this table",
               table_command(comparison.study, results.run, comparison.id)),
        Copied("t", "the table as Markdown", TEXT_FORMATS["md"]([comparison])),
    ]  # fmt: skip
    if line is None:
        return table
    number = values.measured(line) if line.measured is not None else values.published(line)
    return [
        Copied("y", "the number", number),
        Copied("c", "its citation", line_citation(results.run, comparison, line)),
        Copied("r", "the row", _row(line)),
        *table,
    ]


def cell_copies(results: ShownRun, id_: str) -> Sequence[Copied]:
    """The cell's id, the command that shows it, and the paper."""
    return [
        Copied("y", "the cell's id", id_),
        Copied("m", "the command that shows this cell", show_command(results.run, id_)),
        Copied("c", "the paper's citation", paper_citation(results.plan.study)),
    ]


def attempts(run: Run, id_: str) -> list[Attempt]:
    """The last attempt first: its state, when it was, how long it took, and why."""
    found = []
    for folder in [id_, *_earlier(run, id_)]:
        manifest = read_attempt(run, folder)
        if manifest is not None:
            at = manifest.started_at[:16].replace("T", " ")
            words = f"{state(manifest.status).text}   {at}   {duration(manifest.wall_s)}"
            found.append(Attempt(folder, f"{words}   {manifest.reason}".rstrip()))
    return found


def read_attempt(run: Run, folder: str) -> Manifest | None:
    """None where there is none that can be read."""
    from manifests.codec import decode_manifest, read_bounded

    with contextlib.suppress(UnreadableError, OSError):
        return decode_manifest(read_bounded(str(run.manifest_path(folder))))
    return None


def _earlier(run: Run, id_: str) -> list[str]:
    """The folders of attempts that were put aside, the latest first."""
    found = []
    with contextlib.suppress(OSError):
        for path in run.cells.glob(f"{id_}.attempt-*"):
            number = _ATTEMPT.search(path.name)
            if number:
                found.append((int(number[1]), path.name))
    return [name for _, name in sorted(found, reverse=True)]


def _row(line: Line) -> str:
    """With tabs between, as spreadsheets take it."""
    told = [*line.key.values(), line.quantity, values.published(line), values.measured(line)]
    return "\t".join([*told, values.ratio(line), f"n {line.n}", values.flags(line)]).rstrip()
