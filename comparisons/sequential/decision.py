"""Whether one side of a comparison is the smaller, by the planned looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal, NamedTuple

from comparisons.sequential.estimate import Estimate, estimate
from comparisons.sequential.looks import looks_within, nominal
from comparisons.sequential.partners import Series, Shared, shared

MOST_VOIDED = 6
"""With more disturbed quadruples than that a comparison stays open."""

Side = Literal["below", "above", ""]
Open = Literal["", "too few", "within noise", "busy machine", "contradicted"]
Means = Mapping[Series, float]


class Contrast(NamedTuple):
    """How far the left side is above the right one, at given means of logarithms.

    ``weights`` are its derivatives by those means. Nothing is decided while a ``guard``, which is
    divided by, may be 0.
    """

    distance: float
    weights: Mapping[Series, float]
    guards: tuple[Contrast, ...] = ()


class Limits(NamedTuple):
    """What part of the look's p may decide each way."""

    below: float = 1.0
    above: float = 1.0


class Decision(NamedTuple):
    """``side`` is where the left side lies; ``why`` is the reason for none.

    ``look`` has the number of processes a side that it rests on, 0 where there was no look.
    """

    side: Side
    why: Open
    look: int
    shared: Shared
    distance: float = 0.0
    last: Estimate | None = None


WHOLE = Limits()


def decide(
    contrast: Callable[[Means], Contrast], partners: Sequence[Series], limits: Limits = WHOLE
) -> Decision:
    """The first look that decides stands, whatever is measured afterwards.

    Undecided all the same where more quadruples were disturbed than may be measured again, and
    where all data together, the disturbed too, point the other way.
    """
    found = shared(partners)
    decided = _at_looks(contrast, partners, found, limits)
    if len(found.voided) > MOST_VOIDED:
        return decided._replace(side="", why="busy machine")
    if decided.side and found.voided:
        everything = contrast({one: one.mean for one in partners})
        if (everything.distance > 0) != (decided.side == "above"):
            return decided._replace(side="", why="contradicted")
    return decided


def _at_looks(
    contrast: Callable[[Means], Contrast], partners: Sequence[Series], found: Shared, limits: Limits
) -> Decision:
    decision = Decision("", "busy machine" if found.voided else "too few", 0, found)
    for look in looks_within(found.processes):
        taken = found.valid[: look // 2]
        at = contrast(_means(partners, taken))
        guarded = all(_passes(guard, taken, nominal(look)) for guard in at.guards)
        now = _estimate(at, taken)
        decision = Decision("", "within noise", look, found, at.distance, now)
        side: Side = "above" if at.distance > 0 else "below"
        limit = limits.above if side == "above" else limits.below
        if guarded and now.p(at.distance) <= nominal(look) * limit:
            return decision._replace(side=side, why="")
    return decision


def _means(partners: Sequence[Series], taken: Sequence[int]) -> Means:
    return {
        one: sum(sum(one.quadruples[number]) for number in taken) / (2 * len(taken))
        for one in partners
    }


def _estimate(at: Contrast, taken: Sequence[int]) -> Estimate:
    data = [[one.quadruples[number] for number in taken] for one in at.weights]
    return estimate(list(at.weights.values()), data)


def _passes(guard: Contrast, taken: Sequence[int], p: float) -> bool:
    """Whether it certainly isn't 0."""
    return _estimate(guard, taken).p(guard.distance) <= p
