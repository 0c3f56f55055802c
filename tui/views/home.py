"""The first screen's words: the machine, the studies, the runs, what to press next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table as RichTable
from rich.text import Text

from services.phrases import count
from tui.states import tally, verdict
from tui.text import fitted, safe
from tui.widgets.rows import Column, Field, Row, Table

if TYPE_CHECKING:
    from comparisons.render.verdict_rows import VerdictRow
    from services.this_machine import Business, MachineWords
    from tui.loaders import RunLine, StudyLine

WHAT = "Published results on quantization, measured again here: how far do they hold?"
WIDE = 120
"""From so many columns on, there is room for words beside the bars."""

_BAR, _WIDE_BAR = 14, 24
_AROUND = 6
_EVIDENCE, _LEAST_SAYS = 34, 40
_LEAST_CELLS, _CELLS = 20, 44
_BESIDE_CELLS = 50
"""Columns of a run's name, tier and time, which tell the runs apart."""

_PAPER = Column("paper", grow=True)


def machine_line(machine: MachineWords | None, business: Business | None) -> Text:
    """On which machine this is, and whether it is quiet enough to measure."""
    text = Text("machine  ", "dim", no_wrap=True, overflow="ellipsis")
    if machine is None:
        return text.append("looking …", "dim")
    facts = (machine.processor, machine.memory, machine.gpus, f"engine {machine.engine}")
    busy = _business(business)
    told = " · ".join([busy.plain, *(safe(fact, 80) for fact in facts)])
    text.append(told, "not dim")
    if busy.style:
        text.stylize(busy.style, 9, 9 + len(busy.plain))
    return text


def _business(business: Business | None) -> Text:
    if business is None:
        return Text("quiet or busy …")
    if business.quiet is None:
        return Text(safe(business.words, 80))
    if business.quiet:
        return Text("● quiet")
    return Text(f"▲ {safe(business.words, 160)}", "bold")


def studies_table(
    names: Sequence[str],
    lines: Mapping[str, StudyLine],
    verdicts: Mapping[str, Mapping[str, int]],
    width: int,
) -> Table:
    """A row a study: its paper, its verdicts as a bar, what can run, how much is done."""
    wide = width >= WIDE
    bar = _WIDE_BAR if wide else _BAR
    heads = [Column("study", most=16), _PAPER, Column("verdicts", most=bar)]
    heads += [Column("of its claims", most=60)] if wide else []
    heads += [Column("can run", right=True), Column("done", right=True)]

    def row(index: int) -> Row:
        name = names[index]
        line = lines.get(name)
        if line is None:
            return [name, Field("reading …", "dim"), *[""] * (len(heads) - 2)]
        told = _verdicts(verdicts.get(name), bar, wide)
        return [name, _paper(line), *told, _can_run(line), _done(line)]

    return Table(heads, len(names), row)


def runs_table(runs: Sequence[RunLine], running: str, marked: Sequence[str], width: int) -> Table:
    """A row a run, the latest first; ``running`` is the folder of the one that goes on."""
    wide = width >= WIDE
    cells = max(_LEAST_CELLS, min(_CELLS, width - _BESIDE_CELLS))
    heads = [Column("run", grow=True), Column("tier", most=8), Column("cells", most=cells)]
    heads += [Column("data", most=16)] if wide else []
    heads += [Column("last cell (UTC)" if wide else "last cell", most=16)]

    def row(index: int) -> Row:
        line = runs[index]
        goes_on = str(line.run.folder) == running
        told: list[Field | str] = [
            Field(f"▶ {line.run.id}", "accent") if goes_on else line.run.id,
            line.plan.tier, tally(line.counts),
        ]  # fmt: skip
        told += [line.plan.dataset] if wide else []
        return [*told, Field(line.at or "–", "dim")]

    return Table(heads, len(runs), row, lambda index: str(runs[index].run.folder) in marked)


def about_study(line: StudyLine, states: Mapping[str, int], paint: Mapping[str, str]) -> Group:
    """What a study is, its verdicts in words, and what of it can run here."""
    study = line.study
    head = Text()
    head.append(f"{safe(study.title)}\n", style="bold")
    head.append(f"{safe(', '.join(study.authors))} {study.year}, {safe(study.where)}\n", "dim")
    head.append(f"{safe(study.about, 1000)}\n")
    return Group(head, _facts(line, states, paint))


def claims_list(rows: Sequence[VerdictRow], width: int, paint: Mapping[str, str]) -> Text:
    """A line a claim: its number, its verdict with a sign, what it says, and where there is room
    the evidence.
    """
    text = Text(no_wrap=True, overflow="ellipsis")
    longest = max((len(row.verdict) for row in rows), default=0) + 2
    room = width - longest - _AROUND
    evidence = room >= _LEAST_SAYS + _EVIDENCE
    says = min(60, room - _EVIDENCE) if evidence else max(8, room)
    for row in rows:
        sign, tone = verdict(row.state)
        text.append(f"{row.number:<4}", "bold")
        text.append(f"{fitted(f'{sign[:1]} {row.verdict}', longest)}  ", paint.get(tone, ""))
        text.append(fitted(safe(row.says), says), "not bold")
        text.append(f"  {safe(row.evidence, 200)}\n" if evidence else "\n", "dim not bold")
    return text


def next_line(line: StudyLine | None, watching: bool, on_runs: bool) -> Text:
    """The key to press next, for who is here for the first time."""
    text = Text("next  ", "dim", no_wrap=True, overflow="ellipsis")
    if watching:
        steps = [("3", "watch the run"), ("6", "the claims so far")]
    elif on_runs:
        steps = [("enter", "its results"), ("space", "mark runs to compare"), ("tab", "studies")]
    elif line is None:
        steps = [("?", "all keys")]
    elif line.runs:
        steps = [("c", "claims"), ("r", "results"), ("s", "start"), ("tab", "runs")]
    else:
        steps = [("s", "start it"), ("enter", "its cells"), ("c", "its claims")]
    for key, what in [*steps, ("?", "all keys")] if line or watching or on_runs else steps:
        text.append(f"{key} ", "bold not dim").append(f"{what}   ", "not dim")
    return text


def _verdicts(states: Mapping[str, int] | None, bar: int, wide: bool) -> Row:
    """A bar, and where there is room the words."""
    if not states:
        return [Field("…", "dim"), *[""] * wide]
    # Importing what verdicts are takes time, and the first screen has none yet.
    from tui.views.verdict_bars import verdict_bar, verdict_words

    return [verdict_bar(states, bar), *[verdict_words(states)] * wide]


def _paper(line: StudyLine) -> str:
    study = line.study
    return f"{study.title} ({', '.join(study.authors)} {study.year})"


def _can_run(line: StudyLine) -> str:
    return f"{line.runnable} of {line.cells}" if not line.problem else "no"


def _done(line: StudyLine) -> str:
    if not line.runs:
        return "–"
    counts = line.runs[0].counts
    whole = sum(counts.values())
    return f"{whole - counts.get('waiting', 0)} of {whole}"


def _facts(line: StudyLine, states: Mapping[str, int], paint: Mapping[str, str]) -> RichTable:
    study = line.study
    facts = RichTable(box=None, show_header=False, padding=(0, 2, 0, 0))
    if states:
        from tui.views.verdict_bars import verdict_words

        words = Text()
        for text, tone in verdict_words(states).fields:
            words.append(text, paint.get(tone, ""))
        facts.add_row(Text("verdicts", "bold"), words)
    can_run = f"{line.runnable} of the {count(line.cells, 'cell')} of tier {line.tier}"
    facts.add_row(Text("can run", "bold"), Text(safe(line.problem or can_run, 1000)))
    for reason, number in line.why_not.items():
        facts.add_row("", Text(f"{number} not: {safe(reason)}"))
    facts.add_row(Text("paper", "bold"), Text(f"{line.tables} tables, {line.claims} claims"))
    for index, (name, tier) in enumerate(study.tiers.items()):
        text = f"{name}: {safe(tier.summary)}"
        facts.add_row(Text("tiers" if not index else "", "bold"), Text(text))
    facts.add_row(Text("left open", "bold"), Text(f"{len(study.unspecified)} points of the recipe"))
    for item in study.unspecified:
        facts.add_row("", Text(f"{safe(item.what)}: {safe(item.choice)}", "dim"))
    return facts
