"""Evaluating claims twice: on the paper's own numbers, and on what a run measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from comparisons.claims.cells import lines_used
from comparisons.claims.sources import Tables, measured_source, published_source
from comparisons.comparison import Comparison
from comparisons.number_flags import NO_FLAGS, Flagged, disturbed, merged
from papers.claims import Claim, ClaimsFile, Numbered, choose_claims
from papers.expressions import Evaluator, ExpressionError, Missing, Node
from papers.expressions.quantities import FAILS, HOLDS, UNCLEAR, Doubts
from papers.published import PublishedTable

NOT_MEASURED, NOT_PRINTED = "not measured", "not printed"
STATES = (HOLDS, FAILS, UNCLEAR, NOT_MEASURED, NOT_PRINTED)


class Verdict(NamedTuple):
    """``state`` is one of STATES; ``why`` has the numbers or the reason for none."""

    state: str
    why: str


class Judged(NamedTuple):
    """A claim and what becomes of it. ``stand_in`` is None where there is no stand-in test.

    ``flagged`` has the cells of each flag that a number of its tests carries.
    """

    number: str
    claim: Claim
    published: Verdict
    measured: Verdict
    stand_in: Verdict | None
    cells: list[str]
    flagged: Flagged = NO_FLAGS


def judge(
    file: ClaimsFile,
    published: Sequence[PublishedTable],
    comparisons: Sequence[Comparison],
    tier: str,
    wanted: str = "",
) -> list[Judged]:
    """Verdicts for all claims, or for one. Without comparisons nothing was measured."""
    paper = published_source(published)
    ours = measured_source(published, comparisons, file.single_process)
    return [
        _judge(item, paper, ours, comparisons, tier) for item in choose_claims(file.claim, wanted)
    ]


def count_verdicts(judged: Sequence[Judged]) -> dict[str, int]:
    """How many claims have which verdict on what was measured."""
    counts = Counter(item.measured.state for item in judged)
    return {state: counts[state] for state in STATES if counts[state]}


def _judge(
    item: Numbered, paper: Tables, ours: Tables, comparisons: Sequence[Comparison], tier: str
) -> Judged:
    claim = item.claim
    tests = claim.tests
    if "test" not in tests:
        published = Verdict(NOT_PRINTED, claim.untestable)
        measured = Verdict(NOT_MEASURED, claim.untestable)
    else:
        published = _evaluate(tests["test"], claim, paper, NOT_PRINTED)
        measured = _measured(tests["test"], claim, ours, comparisons, tier)
    stand_in = None
    if "stand_in" in tests:
        stand_in = _measured(tests["stand_in"], claim, ours, comparisons, tier)
    lines = list(lines_used(claim, comparisons))
    cells = list(dict.fromkeys(cell for line in lines for cell in line.cells))
    found = merged(line.flagged for line in lines)
    return Judged(item.number, claim, published, measured, stand_in, cells, found)


def _measured(
    test: Node, claim: Claim, ours: Tables, comparisons: Sequence[Comparison], tier: str
) -> Verdict:
    if not comparisons:
        return Verdict(NOT_MEASURED, "no run")
    if claim.tiers and tier not in claim.tiers:
        needed = " or ".join(claim.tiers)
        return Verdict(NOT_MEASURED, f"tier {tier} spends too little for it; needs {needed}")
    return _evaluate(test, claim, ours, NOT_MEASURED)


def _evaluate(test: Node, claim: Claim, source: Tables, absent: str) -> Verdict:
    try:
        truth = Evaluator(source, claim.constants).truth(test)
    except Missing as missing:
        return Verdict(absent, str(missing))
    except ExpressionError as error:
        return Verdict(absent, f"the test can't be evaluated: {error}")
    why = [_disturbance(truth.doubts), truth.why] if truth.doubts else [truth.why]
    return Verdict(truth.state, "; ".join(why))


def _disturbance(doubts: Doubts) -> str:
    """The flags, and the cells that carry them."""
    return disturbed(merged({name: [cell]} for name, cell in sorted(doubts)))
