"""The claims of a run that are still open, and what would have to be measured together for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.planning.quadruples import A_QUADRUPLE, point_of

if TYPE_CHECKING:
    from comparisons.claims import Judged, Verdict
    from comparisons.claims.open_work import Work
    from manifests.plan import Plan


class OpenComparison(NamedTuple):
    """``points`` are the first processes of its partner cells, which are measured together.

    ``more``: so many processes of each are missing for the next look, ``likely`` for the look that
    is likely to decide it.
    """

    points: frozenset[str]
    more: int
    likely: int


class StillOpen(NamedTuple):
    """A claim, or its stand-in. ``comparisons`` is empty where no processes within reach decide it.

    ``cells`` are the points of all cells that its tests name.
    """

    number: str
    comparisons: tuple[OpenComparison, ...]
    reason: str
    would_decide: str
    cells: frozenset[str]

    @property
    def points(self) -> frozenset[str]:
        """All that it compares."""
        return frozenset().union(*(one.points for one in self.comparisons))

    def further(self, likely: bool = False) -> Mapping[str, int]:
        """How many more processes of each point its next looks take, or those likely to decide."""
        found: dict[str, int] = {}
        for one in self.comparisons:
            for point in one.points:
                found[point] = max(found.get(point, 0), one.likely if likely else one.more)
        return found


def still_open(plan: Plan, judged: Sequence[Judged]) -> list[StillOpen]:
    """In the order of the paper. ``judged`` are the claims of a run with this plan."""
    from comparisons.claims.open_work import open_work

    points = {planned.id: point_of(planned.cell) for planned in plan.cells}
    work: dict[str, list[Work]] = {}
    for claim in open_work(judged):
        if claim.within_reach:
            work.setdefault(claim.number, []).extend(claim.work)
    return [
        StillOpen(
            one.number,
            tuple(_comparison(each, points) for each in work.get(one.number, ())),
            verdict.reason,
            verdict.would_decide,
            frozenset(points[cell] for cell in one.cells),
        )
        for one in judged
        if (verdict := _undecided(one))
    ]


def _undecided(judged: Judged) -> Verdict | None:
    """Its own verdict or that of its stand-in, where one is open."""
    from papers.expressions.quantities import UNCLEAR

    verdicts = (judged.measured, judged.stand_in)
    return next((one for one in verdicts if one is not None and one.state == UNCLEAR), None)


def _comparison(work: Work, points: Mapping[str, str]) -> OpenComparison:
    more = work.more or A_QUADRUPLE
    likely = more + max(0, (work.needed or work.look) - work.look)
    return OpenComparison(frozenset(points[cell] for cell in work.cells), more, likely)
