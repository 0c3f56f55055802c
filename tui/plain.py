"""The screens as plain text, a line a row: for screen readers, logs and pipes.

It says the same words as the screens and needs no terminal: no bars, no boxes, no colours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from comparisons.render import claims as claim_words
from comparisons.render import speedups
from services.this_machine import look_at_machine, look_who_is_busy
from tui.loaders import (
    Judgement,
    ShownRun,
    judge_study,
    latest,
    read_plan,
    read_shown_run,
    run_lines,
    study_line,
    study_verdicts,
)
from tui.states import state, tally
from tui.text import safe
from tui.views import home
from tui.views.plan import Listing
from tui.views.results import cells_table, table_of
from tui.widgets.tables import Table, text_of

if TYPE_CHECKING:
    from manifests.run_folder import Run
    from services.selection import RunOptions

_LONGEST = 2000


def plain_screens(options: RunOptions, names: Sequence[str], only: str = "") -> Iterator[str]:
    """All screens, or the one called ``only``. ``names`` are those of the studies."""
    study, folder = options.request.study, options.request.run_dir
    run = _run(study, folder)
    shown = read_shown_run(run, study) if run is not None else None
    screens: dict[str, Callable[[], Iterable[str]]] = {
        "home": lambda: _home(names),
        "plan": lambda: _plan(options),
        "run": lambda: _runs(study),
        "results": lambda: _results(shown, study),
        "explain": lambda: _explain(shown),
        "claims": lambda: _claims(judge_study(study, shown)),
    }
    for name, lines in screens.items():
        if only in ("", name):
            yield f"# {name.title()}"
            yield from lines()
            yield ""


def linear(table: Table) -> Iterator[str]:
    """A line a row: the first column's text, then each other column with its name."""
    names = [column.name for column in table.columns]
    for index in range(table.size):
        cells = [safe(text_of(cell).strip(), _LONGEST) for cell in table.row(index)]
        told = [
            f"{name} {text}".strip() for name, text in zip(names[1:], cells[1:], strict=False)
            if text and text != "–"
        ]  # fmt: skip
        yield ". ".join([cells[0], *told]) if cells else ""


def _run(study: str, folder: object) -> Run | None:
    from pathlib import Path

    from manifests.run_folder import Run

    if folder is not None:
        found = Run(Path(str(folder)))
        return found if found.plan_path.is_file() else None
    return latest(study)


def _home(names: Sequence[str]) -> Iterator[str]:
    machine, business = look_at_machine(), look_who_is_busy()
    yield home.WHAT
    yield home.machine_line(machine, business).plain
    runs = run_lines()
    of = {name: [line for line in runs if line.plan.study == name] for name in names}
    surveyed = {name: study_line(name, "quick", of[name]) for name in names}
    verdicts = {name: study_verdicts(name, of[name]).states for name in names}
    yield from linear(home.studies_table(names, surveyed, verdicts, 0))
    yield from linear(home.runs_table(runs, "", (), 0)) if runs else ["No run yet."]


def _plan(options: RunOptions) -> Iterator[str]:
    planned = read_plan(options)
    prepared = planned.prepared
    states = planned.states
    listing = Listing(
        lambda p: ("can't run", p.skip) if p.skip else states.get(p.id, ("waiting", "")),
        lambda p: planned.groups.get(p.id, "cells"),
    )
    listing.entitle(prepared.chosen)
    listing.arrange(prepared.chosen)
    plan = prepared.plan
    counts: dict[str, int] = {}
    for cell in prepared.chosen:
        name = "can't run" if cell.skip else states.get(cell.id, ("waiting", ""))[0]
        counts[name] = counts.get(name, 0) + 1
    yield f"{plan.study}, tier {plan.tier}, {plan.dataset}: {tally(counts)}"
    for index, entry in enumerate(listing.entries):
        texts = [text_of(cell).strip(" ▾▸") for cell in listing.row(index)]
        if entry.planned is None:
            yield f"Group {texts[0]}. estimate {texts[1]}. {texts[2]}"
        else:
            reason = entry.planned.skip
            told = f"{texts[0]}. estimate {texts[1]}. {texts[2]}"
            yield f"{told}: {safe(reason)}" if reason else told


def _runs(study: str) -> Iterator[str]:
    """What the runs of the study have come to, cell by cell of the latest."""
    run = latest(study)
    if run is None:
        yield f"No run of {study} yet: repliquant run {study}"
        return
    shown = read_shown_run(run, study)
    yield f"Run {shown.run.id}"
    for cell in shown.plan.cells:
        manifest = shown.manifests.get(cell.id)
        name = manifest.status if manifest else "can't run" if cell.skip else "waiting"
        reason = safe(manifest.reason if manifest else cell.skip)
        yield f"{cell.cell.title}. {state(name).text}" + (f": {reason}" if reason else "")


def _results(shown: ShownRun | None, study: str) -> Iterator[str]:
    if shown is None:
        yield f"No run of {study} yet: repliquant run {study}"
        return
    for comparison in shown.comparisons:
        yield f"## {safe(comparison.title)} ({safe(comparison.place)})"
        yield from linear(table_of(comparison, "table", 0, shown.plan))
    yield "## All cells"
    yield from linear(cells_table(shown.plan.cells, shown.manifests))


def _explain(shown: ShownRun | None) -> Iterator[str]:
    known = [item for item in (shown.speedups if shown else []) if item.total is not None]
    for item in known:
        named = dict(zip(speedups.HEADER, speedups.row(item), strict=True))
        told = (f"{name} {safe(text, _LONGEST)}" for name, text in named.items() if text)
        yield f"{'. '.join(told)}. source {item.source}"
    if not known:
        yield "No speedup here has both of its ends."


def _claims(judgement: Judgement) -> Iterator[str]:
    for problem in judgement.problems.values():
        yield safe(problem, _LONGEST)
    found = judgement.evidence
    for judged in found.claims if found else []:
        named = dict(zip(claim_words.HEADER, claim_words.row(judged), strict=True))
        head = named.pop("claim")
        told = (f"{name}: {safe(' '.join(text.split()), _LONGEST)}" for name, text in named.items())
        yield f"{head}. {'. '.join(told)}"
    for finding in judgement.report.findings if judgement.report else []:
        yield f"Audit. {safe(finding.place)}: {safe(Text(finding.rule).plain, _LONGEST)}"
