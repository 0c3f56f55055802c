"""The decomposition of speedups, as tables of the page."""

from __future__ import annotations

from typing import NamedTuple

from comparisons.decomposition import Explanation, explain_measured, explain_published
from comparisons.measured import Points
from comparisons.render import speedups
from comparisons.results import Evidence


class LadderPart(NamedTuple):
    """All speedups of one source: a table of the paper, or a protocol of the run."""

    title: str
    header: list[str]
    rows: list[list[str]]
    legend: list[str]


def ladder(evidence: Evidence) -> list[LadderPart]:
    """Published first; what has no speedup at all gives no part."""
    found = explain_published(evidence.published, evidence.ladders)
    if evidence.plan is not None:
        points = Points(evidence.plan.cells, evidence.manifests)
        found += explain_measured(evidence.plan, points, evidence.ladders)
    known = [item for item in found if item.total is not None]
    sources = dict.fromkeys(item.source for item in known)
    return [_part(source, [item for item in known if item.source == source]) for source in sources]


def _part(source: str, shown: list[Explanation]) -> LadderPart:
    return LadderPart(
        source, speedups.HEADER, [speedups.row(item) for item in shown], speedups.legend(shown)
    )
