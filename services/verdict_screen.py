"""What a run has come to on one screen of 80 columns and 24 lines, for both faces.

A line on what was run, a line a claim, then counts, flags, time, the report and what to do next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from comparisons.claims.verdicts import DECIDED, NO_NUMBER, NOT_MEASURED, UNTESTABLE
from comparisons.render.verdict_rows import VerdictRow, tally, verdict_rows
from manifests.flags import voids
from orchestrator.planning.obstacles import lacks_gpu
from papers.expressions.quantities import FAILS, HOLDS, UNCLEAR
from services.experiments_ran import experiments_alone, probed
from services.phrases import count, duration, printable, processor_name
from services.quadruple_choice import spent_s
from services.screen_steps import next_step, report_path

if TYPE_CHECKING:
    from comparisons.results import Evidence
    from manifests.manifest import Manifest
    from manifests.plan import Plan
    from services.results import Results
    from services.until_decided import Ending

LINES, COLUMNS = 24, 80
_TAKEN = 2
"""Lines of a terminal that the first line and the shell's prompt take."""
_GIVEN_TO_EVIDENCE = 26
_LEAST_OF_CLAIM = 12
_LABEL = 9
_FOLDS = {"verdicts": 2, "probes": 2, "report": 3, "tables": 3, "run": 3, "next": 3}
"""On how many lines what people need whole may stand."""
_TONES = {
    **dict.fromkeys(DECIDED[:2], "green"), **dict.fromkeys(DECIDED[2:], "red"), UNCLEAR: "yellow",
    NOT_MEASURED: "dim", UNTESTABLE: "dim", NO_NUMBER: "dim", HOLDS: "green", FAILS: "red",
}  # fmt: skip


class Shown(NamedTuple):
    """What a screen is made from. ``results`` is None for the paper's numbers alone."""

    evidence: Evidence
    results: Results | None = None
    ending: Ending | None = None


def verdict_screen(shown: Shown, width: int = COLUMNS, lines: int = LINES) -> list[Text]:
    """For a terminal of so many lines, of which the prompt takes one; none wider than ``width``
    columns.
    """
    foot = [line for label, text in _foot(shown) for line in _labelled(label, text, width)]
    room = lines - _TAKEN - len(foot)
    published = shown.evidence.plan is None
    elsewhere = shown.results is not None and experiments_alone(shown.results)
    rows = verdict_rows(shown.evidence.claims, room, published, folded=elsewhere)
    gaps = [Text()] * min(2, room - len(rows)) if rows else []
    head = Text(_cut(printable(_head(shown.evidence, width)), width), "bold")
    return [head, *gaps[1:], *_rows(rows, width), *gaps[:1], *foot]


def _head(evidence: Evidence, width: int) -> str:
    """Study, machine, tier and data; the machine gives way."""
    plan = evidence.plan
    if plan is None:
        return f"{evidence.study} · the paper's own numbers · no run"
    scope = f"tier {plan.tier}, {plan.dataset_title or plan.dataset}"
    room = width - cell_len(f"{evidence.study} ·  · {scope}")
    return f"{evidence.study} · {_cut(_machine(evidence.manifests), max(8, room))} · {scope}"


def _machine(manifests: Sequence[Manifest]) -> str:
    """The machines behind the numbers, the one of most cells first."""
    found: Counter[str] = Counter()
    for one in manifests:
        machine = one.environment.machine
        if machine is not None and one.status == "ok":
            gpus = ", ".join(dict.fromkeys(gpu.name for gpu in machine.gpus))
            cpu = processor_name(machine.cpu or "a processor")
            found[f"{gpus}, {cpu}" if gpus else f"{cpu}, {machine.cpus} processors"] += 1
    if not found:
        return "nothing measured"
    more = f" and {count(len(found) - 1, 'other')}" if len(found) > 1 else ""
    return f"{found.most_common(1)[0][0]}{more}"


def _rows(rows: Sequence[VerdictRow], width: int) -> Iterator[Text]:
    """Number, claim, verdict, evidence; the claim takes what the others leave."""
    number = max((cell_len(row.number) for row in rows), default=0)
    verdict = max((cell_len(row.verdict) for row in rows), default=0)
    numbers = [row for row in rows if row.number and row.state not in (NOT_MEASURED, UNTESTABLE)]
    evidence = max((cell_len(row.evidence) for row in numbers), default=_GIVEN_TO_EVIDENCE)
    room = width - number - verdict - 4
    longest = max((cell_len(row.says) for row in rows if row.verdict), default=0)
    says = min(longest, max(room - min(evidence, _GIVEN_TO_EVIDENCE), _LEAST_OF_CLAIM))
    for row in rows:
        yield _row(row, number, says, verdict, width)


def _row(row: VerdictRow, number: int, says: int, verdict: int, width: int) -> Text:
    line = Text(f"{row.number:<{number}} ")
    if not row.verdict:
        line.append(_cut(printable(row.says), width - number - 1), "dim")
        return _within(line, width)
    line.append(f"{set_cell_size(_cut(printable(row.says), says), says)}  ")
    line.append(f"{row.verdict:<{verdict}} ", _TONES.get(row.state, ""))
    line.append(_cut(printable(row.evidence), width - line.cell_len))
    return _within(line, width)


def _within(line: Text, width: int) -> Text:
    line.truncate(width, overflow="ellipsis")
    line.rstrip()
    return line


def _foot(shown: Shown) -> Iterator[tuple[str, str]]:
    evidence, results = shown.evidence, shown.results
    sentence, *stand_ins = tally(evidence.claims, published=evidence.plan is None)
    yield "verdicts", sentence
    yield from (("", told) for told in stand_ins)
    if results is not None:
        yield "flagged", _flagged(results.manifests)
        outcomes = probed(results)
        yield from [("probes", outcomes)] if outcomes else []
        yield "cells", _cells(results.plan, results.manifests)
        yield "time", shown.ending.words if shown.ending else _time(results.manifests)
        yield report_path(results)
    yield "next", next_step(evidence, results, shown.ending.why if shown.ending else "")


def _flagged(manifests: Sequence[Manifest]) -> str:
    """How many cells carry which flag, those first that keep a number from deciding."""
    found = Counter(name for one in manifests for name in {flag.name for flag in one.flags})
    names = sorted(found, key=lambda name: (not voids(name), -found[name], name))
    return ", ".join(f"{name} {found[name]}" for name in names) or "nothing"


def _cells(plan: Plan, manifests: Sequence[Manifest]) -> str:
    """``38 ok, 1 crashed, 161 need an NVIDIA GPU, 4 not run``."""
    lacking = sum(lacks_gpu(one.reason) for one in manifests)
    counts = Counter(one.status for one in manifests if not lacks_gpu(one.reason))
    told = [f"{counts[status]:,} {status}" for status in sorted(counts, key=_ok_first)]
    told += [f"{lacking:,} need{'s' if lacking == 1 else ''} an NVIDIA GPU"] if lacking else []
    waiting = len(plan.cells) - len(manifests)
    told += [f"{waiting:,} not run"] if waiting > 0 else []
    return ", ".join(told) or "none"


def _ok_first(status: str) -> tuple[bool, str]:
    return status != "ok", status


def _time(manifests: Sequence[Manifest]) -> str:
    """How long cells were measured, and when the last of them began."""
    ran = [one for one in manifests if one.wall_s]
    if not ran:
        return "nothing measured"
    last = max(one.started_at for one in ran)[:16].replace("T", " ")
    return f"{duration(spent_s(ran))} of cells, the last at {last} UTC"


def _labelled(label: str, text: str, width: int) -> list[Text]:
    """In the column after the labels."""
    room = max(1, width - _LABEL)
    parts = _folded(printable(text), room, _FOLDS.get(label, 1))
    lines = [Text.assemble((f"{label:<{_LABEL}}", "dim"), parts[0])]
    lines += [Text(f"{'':<{_LABEL}}{part}") for part in parts[1:]]
    return [_within(line, width) for line in lines]


def _folded(text: str, room: int, most: int) -> list[str]:
    """At spaces where there are any."""
    parts: list[str] = []
    while cell_len(text) > room and len(parts) < most - 1:
        head = set_cell_size(text, room)
        at = head.rfind(" ")
        at = at if at > room // 2 else len(head.rstrip())
        parts.append(text[:at])
        text = text[at:].lstrip()
    return [*parts, _cut(text, room)]


def _cut(text: str, room: int) -> str:
    """At a word's end where that leaves most of it, with an ellipsis in place of the rest."""
    if cell_len(text) <= room:
        return text
    if room < 2:
        return "…"[:room]
    head = set_cell_size(text, room - 1)
    words = head.rpartition(" ")[0].rstrip(" ,;:")
    return f"{words if cell_len(words) > room * 2 // 3 else head.rstrip()}…"
