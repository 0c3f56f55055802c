"""What a loop has to measure next so that open claims are decided.

    for claim in open_work(evidence.claims):
        for one in claim.work:
            ...  # give each cell of one.cells processes up to one.repeats, in quadruples

The cells are named by ids of the run's plan, and their repeats count from 0: the quadruple of a
process is half its repeat's number. Processes of different claims that want the same cells are the
same processes. To look again after each quadruple is safe: only the planned looks decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from comparisons.claims.verdicts import Judged
from comparisons.claims.wanted import Wanted


class Work(NamedTuple):
    """Of one open comparison.

    ``cells`` has one planned cell of each partner, which stands for all of its repeats. Each
    partner is to have ``repeats`` processes in all, so that the comparison is looked at with
    ``look`` processes a side; what was disturbed or has failed is among the repeats and not in the
    look.
    """

    cells: tuple[str, ...]
    repeats: int
    look: int
    more: int
    seconds: float
    needed: int | None
    within_reach: bool


class OpenClaim(NamedTuple):
    """``decides`` is what the work decides: the claim itself, or its stand-in."""

    number: str
    id: str
    decides: Literal["claim", "stand-in"]
    work: tuple[Work, ...]

    @property
    def seconds(self) -> float:
        """Of all processes, those of cells in several comparisons once."""
        by_cell: dict[str, float] = {}
        for one in self.work:
            for cell in one.cells:
                by_cell[cell] = max(by_cell.get(cell, 0.0), one.seconds / len(one.cells))
        return sum(by_cell.values())

    @property
    def within_reach(self) -> bool:
        """Whether every one of its open comparisons is."""
        return all(one.within_reach for one in self.work)


def open_work(judged: Sequence[Judged]) -> list[OpenClaim]:
    """Claims that more processes may decide: those within reach first, then the cheapest first."""
    found = []
    for item in judged:
        sides: list[tuple[Literal["claim", "stand-in"], tuple[Wanted, ...]]] = [
            ("claim", item.measured.wanted)
        ]
        if item.stand_in is not None:
            sides.append(("stand-in", item.stand_in.wanted))
        for decides, wanted in sides:
            if wanted:
                work = tuple(dict.fromkeys(map(_work, wanted)))
                found.append(OpenClaim(item.number, item.claim.id, decides, work))
    return sorted(found, key=lambda claim: (not claim.within_reach, claim.seconds))


def _work(wanted: Wanted) -> Work:
    cells = tuple(partner[0] for partner in wanted.partners if partner)
    return Work(
        cells, wanted.repeats, wanted.look, wanted.more, wanted.seconds, wanted.needed,
        wanted.within_reach,
    )  # fmt: skip
