"""Runs beside each other as rows: the first one, and each other one against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from comparisons.render import differences as words
from tui.text import MARK, fitted, safe
from tui.widgets.tables import Column, Field, Row, Table

if TYPE_CHECKING:
    from comparisons.differences import Difference, Differences

Aligned = Sequence["Difference | None"]
"""The same quantity of the same cell, for each run against the first; None where one lacks it."""

_LONGEST_NAME = 16
_VALUE, _RATIO = 10, 6
_NARROW, _CELL = 120, 28
_WIDE, _FLAGS = 150, 12
_MOST_ENVIRONMENTS = 4
_GOOD = ("faster", "smaller", "less", "higher")
_BAD = ("slower", "larger", "more", "lower")


def aligned(found: Sequence[Differences]) -> list[Aligned]:
    """A row for each quantity that any of the runs shares with the first."""
    rows: dict[tuple[str, str, str], list[Difference | None]] = {}
    for at, differences in enumerate(found):
        for line in differences.lines:
            key = line.cell, line.metric, line.label
            rows.setdefault(key, [None] * len(found))[at] = line
    return list(rows.values())


def known(row: Aligned) -> list[Difference]:
    """Those of a row that are there; one at least."""
    return [line for line in row if line is not None]


def table(names: Sequence[str], rows: Sequence[Aligned], width: int) -> Table:
    """Two runs with everything of their difference, more with a column each. On a narrow screen
    the later runs are to be scrolled to: what tells rows apart has to be seen.
    """
    shown = [_short(name) for name in names]
    if len(names) == 2:
        cells = apart([known(row)[0].cell for row in rows])
        of_two = _of_two(shown, width)
        return Table(of_two, len(rows), lambda i: _pair(cells[i], known(rows[i])[0]))
    narrow = width < _NARROW
    heads = [Column("cell", grow=not narrow, most=_CELL), Column("quantity", most=24)]
    heads += [Column(shown[0], True), *(Column(name, most=36) for name in shown[1:])]
    return Table(heads, len(rows), lambda index: _several(rows[index]))


def _short(name: str) -> str:
    """Of a long name the end, in which runs differ."""
    cut = name if len(name) <= _LONGEST_NAME else f"…{name[1 - _LONGEST_NAME :]}"
    return safe(cut, 60)


def apart(cells: Sequence[str]) -> list[str]:
    """Without the words with which all of them begin, and those with which all end."""
    split = [cell.split() for cell in cells]
    least = min(split, key=len, default=[])
    if all(words == least for words in split):
        return list(cells)
    ends = _alike([words[::-1] for words in split])
    begins = _alike(split)
    return [" ".join(words[begins : len(words) - ends]) or " ".join(words) for words in split]


def _alike(split: Sequence[Sequence[str]]) -> int:
    """With how many words all of them begin."""
    return next((i for i, at in enumerate(zip(*split, strict=False)) if len(set(at)) > 1),
                min(map(len, split)))  # fmt: skip


def _of_two(names: Sequence[str], width: int) -> list[Column]:
    flags = _FLAGS if width < _WIDE else width - _WIDE + 2 * _FLAGS
    return [
        Column("cell", grow=True), Column("quantity", most=24),
        *(Column(name, True) for name in names), Column("ratio", True),
        Column("verdict", most=12), Column("flags", most=flags),
    ]  # fmt: skip


def _pair(cell: str, line: Difference) -> Row:
    base, new = (words.value(found, line.metric) for found in (line.base, line.new))
    return [
        cell, line.quantity, base, new, words.ratio(line),
        Field(line.verdict, _tone(line)), Field(", ".join(line.flagged), "warn"),
    ]  # fmt: skip


def _several(row: Aligned) -> Row:
    first = known(row)[0]
    told = [_against(line) for line in row]
    return [first.cell, first.quantity, words.value(first.base, first.metric), *told]


def _against(line: Difference | None) -> Field:
    """A run's number, its ratio to the first run's, and the verdict."""
    if line is None:
        return Field("–", "dim")
    flags = f" {MARK}" if line.flagged else ""
    value = fitted(words.value(line.new, line.metric), _VALUE, right=True)
    ratio = fitted(words.ratio(line), _RATIO, right=True)
    return Field(f"{value} {ratio}  {line.verdict}{flags}", _tone(line))


def _tone(line: Difference) -> str:
    return "good" if line.verdict in _GOOD else "bad" if line.verdict in _BAD else "dim"


def title(names: Sequence[str], rows: Sequence[Aligned]) -> Text:
    """The runs, and how many verdicts of each kind."""
    text = Text(" → ".join(safe(name, 60) for name in names[:2]), "bold")
    text.append("".join(f", {safe(name, 60)}" for name in names[2:]))
    counts = Counter(line.verdict for row in rows for line in known(row))
    told = ", ".join(f"{n} {verdict}" for verdict, n in counts.most_common())
    return text.append(f"   {told}", "not bold")


def why(names: Sequence[str], row: Aligned) -> Text:
    """What stands behind the verdicts of a row, a line for each run against the first."""
    text = Text(safe(known(row)[0].cell), "bold").append("\n")
    several = len(row) > 1
    for name, line in zip(names[1:], row, strict=True):
        if line is not None:
            text.append(f"{fitted(_short(name), _LONGEST_NAME)}  " if several else "", "not bold")
            text.append(_numbers(line), "not bold").append("" if several else "\n")
            text.append(f"{safe(line.why)}\n", "dim not bold")
    return text


def _numbers(line: Difference) -> str:
    low_high = ""
    if line.interval:
        low_high = f"95 % of the ratio: {line.interval.low:.3f} to {line.interval.high:.3f}   "
    p = f"p {line.p:.2g}   " if line.p is not None else ""
    return f"{low_high}{p}n {words.count(line)}   "


def environments(names: Sequence[str], found: Sequence[Differences]) -> Text:
    """What differs around each run from what is around the first."""
    text = Text()
    for name, differences in zip(names[1:], found, strict=True):
        differing = words.environments(differences)
        if len(found) > 1:
            text.append(f"{_short(name)}: ", "bold")
        text.append_text(_differing(differing)).append("\n")
    return text


def _differing(found: Sequence[tuple[str, str, str]]) -> Text:
    if not found:
        return Text("the environments are the same", "dim not bold")
    text = Text("environments differ", "bold")
    for item in found[:_MOST_ENVIRONMENTS]:
        what, base, new = (safe(str(part), 60) for part in item)
        text.append(f"\n  {what}: {base} → {new}", "not bold")
    more = len(found) - _MOST_ENVIRONMENTS
    return text.append(f"\n  and {more} more", "dim not bold") if more > 0 else text
