"""Cells that a plan passes over, in a line a reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from manifests.plan import PlannedCell
from orchestrator.planning.obstacles import NO_GPU, lacks_gpu
from services.phrases import count

_ALIKE = 3
"""So many cells with one reason share a line."""


def without_gpu(planned: Iterable[PlannedCell]) -> str:
    """``161 cells need an NVIDIA GPU; none was found``; "" where none does."""
    lacking = sum(lacks_gpu(one.skip) for one in planned)
    return lacking_gpu(lacking, "cell") if lacking else ""


def lacking_gpu(number: int, noun: str) -> str:
    """So many cells, or rows, that a GPU alone can fill."""
    verb = NO_GPU if number == 1 else NO_GPU.replace("needs", "need", 1)
    return f"{count(number, noun)} {verb}"


def listed(planned: Sequence[PlannedCell]) -> tuple[list[PlannedCell], list[str]]:
    """Those that deserve a row each, and a line for each reason that many others share."""
    reasons = Counter(one.skip for one in planned if one.skip)
    shared = {why for why, number in reasons.items() if number >= _ALIKE or lacks_gpu(why)}
    lines = [_line(why, reasons[why]) for why in reasons if why in shared]
    return [one for one in planned if one.skip not in shared], lines


def _line(why: str, number: int) -> str:
    if lacks_gpu(why):
        return lacking_gpu(number, "cell")
    return f"{count(number, 'cell')} can't run here: {why}"
