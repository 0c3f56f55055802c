"""Comparing measured numbers by planned looks: an expression's comparisons become contrasts.

``x <= y (1 + t)`` is ln x - ln y - ln(1 + t), a percentage p is ln(1 + p / 100). What is no product
of powers is compared by the delta method; a quotient of such numbers is multiplied out. Numbers
that don't come from repeated processes (accuracies of test images) keep their intervals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist
from typing import Any, NamedTuple

from comparisons.sequential.decision import Contrast, Decision, Limits, Means, decide
from comparisons.sequential.estimate import estimate
from comparisons.sequential.looks import last_look, nominal
from comparisons.sequential.partners import Series, shared
from papers.expressions import forms
from papers.expressions import quantities as q
from papers.expressions.comparing import Compared
from papers.expressions.forms import At, Constant, Form, Quotient, series_of
from papers.expressions.logic import WHOLE, Logic, Share
from papers.expressions.quantities import FAILS, HOLDS, UNCLEAR, Quantity

_ZERO = Constant(0.0)
_ERROR = 0.05
"""Of an interval of test images."""
_WIDEST = 700.0
"""Of a logarithm that has a number."""


class Atom(NamedTuple):
    """A comparison of measured numbers and what came of it.

    ``decision`` is None where no contrast of processes could be made. ``images`` is then how many
    times as many test images would part the intervals, if the numbers stayed what they are.
    """

    state: str
    partners: tuple[Series, ...]
    decision: Decision | None
    images: float | None = None


class Atoms:
    """``given`` are the parts of the error by the number of the comparison; the whole where none.

    ``made`` are the comparisons, in the order of their numbers.
    """

    takes_apart = True

    def __init__(self, given: Mapping[int, Share] | None = None) -> None:
        self._given = given or {}
        self.made: list[Atom] = []

    def compare(self, a: Quantity, symbol: str, b: Quantity) -> Compared:
        """A comparison of numbers that are certain is none of those that share the error."""
        if a.form is None and b.form is None and a.certain and b.certain:
            return Compared(q.compare(a, symbol, b))
        share = self._given.get(len(self.made), WHOLE)
        atom = self._atom(a, symbol, b, share)
        self.made.append(atom)
        doubts = q.all_doubts((a, b)).union(*(one.doubts for one in atom.partners))
        kept = doubts if atom.state == UNCLEAR and _disturbed(atom) else q.NO_DOUBTS
        return Compared(atom.state, Logic("comparison", number=len(self.made) - 1), kept)

    def shown(self, a: Quantity) -> Quantity:
        """With the interval at its last look; without one before the first."""
        if a.form is None:
            return a
        low, high = interval(a.form)
        return a._replace(low=min(low, a.value), high=max(high, a.value))

    def _atom(self, a: Quantity, symbol: str, b: Quantity, share: Share) -> Atom:
        left, right = q.form_of(a), q.form_of(b)
        if left is None or right is None:
            a, b = q.paired(self.shown(a), self.shown(b))
            state = _by_intervals(a, symbol, b, share)
            images = _times_as_many(a, b, share) if state == UNCLEAR else None
            return Atom(state, _partners(a.form, b.form), None, images)
        partners = _partners(left, right)
        contrast = _Comparison(left, right)
        try:
            certain = contrast.certain(partners)
            if certain:
                return Atom(_state(certain, symbol), partners, None)
            decision = decide(contrast.at, partners, _limits(symbol, share))
        except (ZeroDivisionError, OverflowError):
            return Atom(UNCLEAR, partners, None)
        return Atom(_state(decision.side, symbol), partners, decision)


def _disturbed(atom: Atom) -> bool:
    """Whether it is open for what was left out."""
    if atom.decision is None:
        return True
    return atom.decision.why in ("busy machine", "contradicted", "too few")


def _by_intervals(a: Quantity, symbol: str, b: Quantity, share: Share) -> str:
    """Each way with intervals that are as wide as its part of the error asks for."""
    holds = q.compare(_wider(a, share.holds), symbol, _wider(b, share.holds))
    fails = q.compare(_wider(a, share.fails), symbol, _wider(b, share.fails))
    return HOLDS if holds == HOLDS else FAILS if fails == FAILS else UNCLEAR


def _times_as_many(a: Quantity, b: Quantity, share: Share) -> float:
    """By how many images the intervals no longer meet: their widths shrink with the root of it.

    Infinite where the two numbers are the same.
    """
    first, second = (_wider(x, min(share.holds, share.fails)) for x in (a, b))
    upper, lower = (first, second) if first.value > second.value else (second, first)
    apart = upper.value - lower.value
    reach = (upper.value - upper.low) + (lower.high - lower.value)
    return (reach / apart) ** 2 if apart else math.inf


def _wider(a: Quantity, part: float) -> Quantity:
    """The interval of 95 % as one of less error, by the normal distribution."""
    if part == 1 or a.certain or a.open:
        return a
    by = _normal(_ERROR * part) / _normal(_ERROR)
    return a._replace(low=a.value - by * (a.value - a.low), high=a.value + by * (a.high - a.value))


def _normal(p: float) -> float:
    return NormalDist().inv_cdf(1 - p / 2)


def _partners(*sides: Form | None) -> tuple[Series, ...]:
    found = (series for form in sides if form is not None for series in series_of(form))
    return tuple(one for one in dict.fromkeys(found) if isinstance(one, Series))


def _limits(symbol: str, share: Share) -> Limits:
    if symbol in ("<", "<="):
        return Limits(below=share.holds, above=share.fails)
    if symbol in (">", ">="):
        return Limits(below=share.fails, above=share.holds)
    apart = share.fails if symbol == "==" else share.holds
    return Limits(below=apart, above=apart)


def _state(side: str, symbol: str) -> str:
    """Measured numbers are never certainly the same."""
    if not side:
        return UNCLEAR
    if symbol in ("==", "!="):
        return FAILS if symbol == "==" else HOLDS
    return HOLDS if (side == "below") == (symbol in ("<", "<=")) else FAILS


class _Comparison:
    """Of two forms, as a contrast at any means."""

    def __init__(self, left: Form, right: Form) -> None:
        self.left, self.right = left, right

    def certain(self, partners: tuple[Series, ...]) -> str:
        """The side that products of positive numbers are on, whatever they are."""
        means = dict.fromkeys(partners, 1.0)
        try:
            ends = _less_offset(self.left.at(means), self.right.at(means))
        except ZeroDivisionError:  # only of what is no product
            return ""
        if ends is None or ends[0] * ends[1] > 0:
            return ""
        return "above" if ends[0] > ends[1] else "below" if ends[0] < ends[1] else ""

    def at(self, logs: Means) -> Contrast:
        means = {one: math.exp(log) for one, log in logs.items()}
        found = _of_logarithms(self.left.at(means), self.right.at(means))
        return found or self._delta(means)

    def _delta(self, means: Mapping[Any, float]) -> Contrast:
        """x / y <= r is x <= r y where y is certainly above 0."""
        left, right = self.left, self.right
        guards: tuple[Contrast, ...] = ()
        sign = 1.0
        for turned, quotient in ((False, left), (True, right)):
            if isinstance(quotient, Quotient) and _is_no_product(quotient.second.at(means)):
                guard = _difference(quotient.second.at(means), _ZERO.at(means))
                guards = (guard,)
                sign = math.copysign(1.0, guard.distance)
                other = forms.Product(left if turned else right, quotient.second)
                left, right = (other, quotient.first) if turned else (quotient.first, other)
                break
        return _difference(left.at(means), right.at(means), sign)._replace(guards=guards)


def _is_no_product(found: At) -> bool:
    return bool(found.slopes) and found.offset != 0


def _difference(left: At, right: At, sign: float = 1.0) -> Contrast:
    weights = _weights(left.slopes, sign, right.slopes, -sign)
    return Contrast(sign * (left.value - right.value), weights)


def _of_logarithms(left: At, right: At) -> Contrast | None:
    """None where the two aren't products of powers above one offset."""
    ends = _less_offset(left, right)
    if ends is None or ends[0] * ends[1] <= 0:
        return None
    sign = math.copysign(1.0, ends[0])
    weights = _weights(left.slopes, sign / ends[0], right.slopes, -sign / ends[1])
    return Contrast(sign * math.log(ends[0] / ends[1]), weights)


def _less_offset(left: At, right: At) -> tuple[float, float] | None:
    offsets = {end.offset for end in (left, right) if end.slopes}
    if len(offsets) != 1 or None in offsets:
        return None
    (offset,) = offsets
    assert offset is not None
    return left.value - offset, right.value - offset


def _weights(
    a: Mapping[Any, float], by: float, b: Mapping[Any, float], other: float
) -> dict[Series, float]:
    found: dict[Series, float] = {}
    for slopes, factor in ((a, by), (b, other)):
        for one, slope in slopes.items():
            assert isinstance(one, Series)
            found[one] = found.get(one, 0.0) + slope * factor
    return found


def interval(form: Form) -> tuple[float, float]:
    """Of a form at the last look that its processes allow; everything before the first."""
    partners = _partners(form)
    common = shared(partners)
    look = last_look(common.processes)
    if not look:
        return -math.inf, math.inf
    taken = common.valid[: look // 2]
    means = {
        one: math.exp(sum(sum(one.quadruples[n]) for n in taken) / look) for one in partners
    }  # fmt: skip
    try:
        found = form.at(means)
    except ZeroDivisionError:
        return -math.inf, math.inf
    return _ends(found, taken, nominal(look))


def _ends(found: At, taken: list[int], p: float) -> tuple[float, float]:
    scale = found.value - found.offset if found.offset is not None else 0.0
    by = 1 / scale if scale else 1.0
    weights = _weights(found.slopes, by, {}, 0.0)
    data = [[one.quadruples[number] for number in taken] for one in weights]
    half = min(_WIDEST, estimate(list(weights.values()), data).half_width(p))
    if not scale:
        return found.value - half, found.value + half
    assert found.offset is not None
    ends = [found.offset + scale * math.exp(off) for off in (-half, half)]
    return min(ends), max(ends)
