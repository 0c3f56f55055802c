"""The claims of a run that are still open, and the comparisons that more processes could decide."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from orchestrator.planning.quadruples import A_QUADRUPLE, point_of

if TYPE_CHECKING:
    from comparisons.claims import Judged, Verdict
    from services.results import Results


class OpenComparison(NamedTuple):
    """``points`` are the first processes of its partner cells, which are measured together.

    ``more``: so many processes of each are missing for the next look, ``likely`` for the look that
    is likely to decide it.
    """

    points: frozenset[str]
    more: int
    likely: int


class OpenClaim(NamedTuple):
    """``comparisons`` is empty where no number of processes within reach would decide it.

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


def open_claims(results: Results) -> list[OpenClaim]:
    """In the order of the paper; of a claim and of its stand-in."""
    from services.results import judge_claims

    points = {planned.id: point_of(planned.cell) for planned in results.plan.cells}
    return [
        OpenClaim(
            judged.number,
            tuple(one for verdict in verdicts for one in _comparisons(verdict, points)),
            verdicts[0].reason,
            verdicts[0].would_decide,
            frozenset(points[cell] for cell in judged.cells),
        )
        for judged in judge_claims(results).claims
        if (verdicts := list(_open(judged)))
    ]


def _open(judged: Judged) -> Iterator[Verdict]:
    from papers.expressions.quantities import UNCLEAR

    for verdict in (judged.measured, judged.stand_in):
        if verdict is not None and verdict.state == UNCLEAR:
            yield verdict


def _comparisons(verdict: Verdict, points: Mapping[str, str]) -> Iterator[OpenComparison]:
    """None where one of them is out of reach: then the others don't decide the claim either."""
    if not all(wanted.within_reach for wanted in verdict.wanted):
        return
    for wanted in verdict.wanted:
        cells = (cell for partner in wanted.partners for cell in partner)
        more = wanted.more or A_QUADRUPLE
        likely = more + max(0, (wanted.needed or wanted.look) - wanted.look)
        yield OpenComparison(frozenset(points[cell] for cell in cells), more, likely)
