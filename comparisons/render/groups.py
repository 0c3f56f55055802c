"""Lines as people read them: what was not measured, for one reason, is said once a row.

The CSV and the JSON have every line by itself.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from comparisons.comparison import PROTOCOL, Line
from comparisons.render import values

BOTH = "both"


def gathered(lines: Iterable[Line]) -> list[Line]:
    """Quantities of one row that were not measured for one reason share a line, and so do the
    protocols that they were not measured in. A published number stands beside every measured one,
    or once where nothing is.
    """
    return list(_by_row(_printed_once(_by_protocol(list(lines)))))


def _place(line: Line) -> tuple[object, ...]:
    """Row and quantity, whatever the protocol."""
    return *(item for item in line.key.items() if item[0] != PROTOCOL), line.quantity


def _by_protocol(lines: list[Line]) -> list[Line]:
    """A line for the first protocol takes in those for the others; n and samples are 0 in all."""
    found: dict[tuple[object, ...], list[Line]] = {}
    for number, line in enumerate(lines):
        alone = line.measured is not None or PROTOCOL not in line.key
        same = (number,) if alone else (_place(line), line.state)
        found.setdefault(same, []).append(line)
    return [_one(same) for same in found.values()]


def _printed_once(lines: list[Line]) -> Iterator[Line]:
    told = {_place(line) for line in lines if line.measured is not None and PROTOCOL in line.key}
    for line in lines:
        if line.measured is None and _place(line) in told:
            yield line._replace(printed="", published=None)
            continue
        if PROTOCOL in line.key:
            told.add(_place(line))
        yield line


def _one(same: list[Line]) -> Line:
    if len(same) == 1:
        return same[0]
    return same[0]._replace(key={**same[0].key, PROTOCOL: BOTH}, cells=_cells(same))


def _by_row(lines: Iterable[Line]) -> Iterator[Line]:
    for _, group in itertools.groupby(
        lines, lambda line: (line.key, line.state if line.measured is None else line.quantity)
    ):
        same = list(group)
        told = [line for line in same if line.printed] or same
        if same[0].measured is not None:
            yield from same
            continue
        yield told[0]._replace(
            quantity=" / ".join(line.quantity for line in told),
            printed=_side_by_side(told) if told[0].printed and len(told) > 1 else told[0].printed,
            printed_unit=told[0].printed_unit if len(told) == 1 else "",
            cells=_cells(same),
        )


def _cells(lines: list[Line]) -> list[str]:
    """Each once: what is derived has those of its parts."""
    return list(dict.fromkeys(cell for line in lines for cell in line.cells))


def _side_by_side(lines: list[Line]) -> str:
    """What is printed, each with its unit, or all with one where they share it."""
    printed = [line.printed or values.NONE for line in lines]
    units = {line.printed_unit for line in lines}
    if len(units) == 1:
        return values.with_unit(" / ".join(printed), units.pop())
    return " / ".join(
        values.with_unit(text, line.printed_unit) for text, line in zip(printed, lines, strict=True)
    )
