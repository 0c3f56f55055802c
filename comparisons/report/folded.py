"""Rows without a measurement that share one reason: a line that opens, not a row each."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from comparisons.comparison import Line
from comparisons.measured import NOTHING

NOT_RUN = "not run"
_FEWEST = 3


class Fold(NamedTuple):
    """Rows, and what is said of all of them. What the paper prints stands in them."""

    words: str
    lines: list[Line]


class Folded(NamedTuple):
    """``kept`` are the rows that are shown as they are."""

    kept: list[Line]
    folds: list[Fold]


def folded(lines: Sequence[Line], gpu_only: Collection[str]) -> Folded:
    """Rows that only a GPU can run always; rows without a cell or not run from three on."""
    groups: dict[str, list[Line]] = {}
    for line in lines:
        groups.setdefault(_kind(line, gpu_only), []).append(line)
    fewest = {_GPU: 1}
    folding = [kind for kind in _WORDS if len(groups.get(kind, [])) >= fewest.get(kind, _FEWEST)]
    kept = [line for line in lines if _kind(line, gpu_only) not in folding]
    return Folded(kept, [_fold(_WORDS[kind], groups[kind]) for kind in folding])


def _fold(words: str, same: list[Line]) -> Fold:
    return Fold(f"{len(same)} row{'' if len(same) == 1 else 's'} {words}", same)


_GPU = "gpu"
_WORDS = {
    _GPU: "for a GPU alone, which this machine doesn't have",
    NOTHING.state: "of the paper without a cell in this run",
    NOT_RUN: "not run",
}


def _kind(line: Line, gpu_only: Collection[str]) -> str:
    """Empty for a row that is shown."""
    if line.measured is not None:
        return ""
    if line.cells and all(cell in gpu_only for cell in line.cells):
        return _GPU
    return line.state if line.state in _WORDS else ""
