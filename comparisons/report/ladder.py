"""The decomposition of speedups, as tables of the page."""

from __future__ import annotations

from typing import NamedTuple

from comparisons.decomposition import Explanation, explain_measured, explain_published
from comparisons.points import Points
from comparisons.render import speedups
from comparisons.report.charts import Chart
from comparisons.results import Evidence


class LadderPart(NamedTuple):
    """All speedups of one source: a table of the paper, or a protocol of the run."""

    title: str
    header: list[str]
    rows: list[list[str]]
    legend: list[str]
    shown: list[Explanation]

    @property
    def measured(self) -> bool:
        """Not a table of the paper."""
        return self.title.startswith("measured")


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
        source,
        speedups.HEADER,
        [speedups.row(item) for item in shown],
        speedups.legend(shown),
        shown,
    )


def ladder_charts(parts: list[LadderPart]) -> dict[str, Chart]:
    """By the part's title. The paper's own speedups are drawn in its figures."""
    from comparisons.report.ladder_charts import ladder_chart

    found = {}
    for number, part in enumerate(parts):
        chart = ladder_chart(f"ladder-{number}", part.title, part.shown) if part.measured else None
        if chart is not None:
            found[part.title] = chart
    return found
