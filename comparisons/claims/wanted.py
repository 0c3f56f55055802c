"""What would decide an open claim: processes of which cells, how many, and how long they take."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from comparisons.claims.atoms import Atom
from comparisons.sequential.decision import MOST_VOIDED
from comparisons.sequential.looks import LAST, next_look
from comparisons.sequential.partners import Series
from papers.expressions.quantities import UNCLEAR

MOST_IMAGES = 10_000
"""Times as many as there are: beyond it none are had."""


class Wanted(NamedTuple):
    """``partners`` has for each partner the ids of its cells, all repeats.

    ``look`` is the next one, in processes a side; each partner then has ``repeats`` processes in
    all, the disturbed ones and those of no use among them. ``more`` is by how many that is more
    than the partner with the fewest has, ``seconds`` how long all of them take. ``needed`` are the
    processes a side that are likely to decide, None where nothing can be said of that yet.
    """

    partners: tuple[tuple[str, ...], ...]
    look: int
    repeats: int
    more: int
    seconds: float
    needed: int | None

    @property
    def within_reach(self) -> bool:
        """Whether the planned looks are likely to decide it."""
        return self.needed is None or self.needed <= LAST


def wanted(atom: Atom) -> Wanted | None:
    """None for a comparison that is decided, or that no further processes decide."""
    decision = atom.decision
    if atom.state != UNCLEAR or decision is None or decision.why == "contradicted":
        return None
    if len(decision.shared.voided) > MOST_VOIDED or not atom.partners:
        return None
    look = next_look(decision.shared.processes + 1)
    spoilt = len(set().union(*(one.spoilt for one in atom.partners)))
    repeats = look + 2 * spoilt
    fewest = min(one.repeats for one in atom.partners)
    seconds = sum(max(0, repeats - one.repeats) * one.wall_s for one in atom.partners)
    return Wanted(
        tuple(_cells(one) for one in atom.partners),
        look,
        repeats,
        max(0, repeats - fewest),
        seconds,
        _needed(atom, look),
    )


def _cells(series: Series) -> tuple[str, ...]:
    return tuple(dict.fromkeys(process.cell for process in series.processes))


def _needed(atom: Atom, look: int) -> int | None:
    decision = atom.decision
    if decision is None or decision.last is None:
        return None
    about = decision.last.needed(decision.distance)
    if not math.isfinite(about) or about > 1e6:
        return 10**6
    return next_look(max(look, math.ceil(about))) if about <= LAST else math.ceil(about)


def all_wanted(atoms: Sequence[Atom]) -> list[Wanted]:
    """Of every open comparison, those that are likely to be decided first."""
    found = [one for one in map(wanted, atoms) if one is not None]
    return sorted(found, key=lambda one: (not one.within_reach, one.needed or 0))


def would_decide(found: Sequence[Wanted]) -> str:
    """In words; "" where nothing more can be measured."""
    if not found:
        return ""
    far = [one.needed for one in found if one.needed is not None and not one.within_reach]
    if far:
        most = max(far)
        if most >= 10**6:
            return "no number of processes that can be measured: not within reach"
        return f"about {_rounded(most):,} processes a side: not within reach"
    more = max(one.more for one in found)
    cells = {cell for one in found for partner in one.partners for cell in partner[:1]}
    seconds = _seconds(found)
    each = " each" if len(cells) > 1 else ""
    return f"{more} more process{'es' if more != 1 else ''}{each}, about {_time(seconds)}"


def images_would_decide(atoms: Sequence[Atom]) -> str:
    """In words, where the number of test images leaves comparisons open; "" where none are."""
    times = [atom.images for atom in atoms if atom.images is not None]
    if not times:
        return ""
    most = max(times)
    if most > MOST_IMAGES:
        return "no number of test images that can be had: the accuracies are too close"
    return f"about {_rounded(math.ceil(most)):,} times as many test images"


def _seconds(found: Sequence[Wanted]) -> float:
    """A partner of several comparisons is measured once."""
    by_partner: dict[tuple[str, ...], float] = {}
    for one in found:
        for partner in one.partners:
            share = one.seconds / len(one.partners)
            by_partner[partner] = max(by_partner.get(partner, 0.0), share)
    return sum(by_partner.values())


def _rounded(number: int) -> int:
    """To one significant digit, or two below 100."""
    step: int = 10 ** max(0, len(str(number)) - (1 if number >= 100 else 2))
    return round(number / step) * step or number


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"
