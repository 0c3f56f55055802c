"""The support matrix as a section of the page."""

from __future__ import annotations

from typing import NamedTuple

from comparisons.matrix import begun, support_matrix
from comparisons.render.matrix import html_table, legend
from comparisons.results import Evidence


class SupportPart(NamedTuple):
    """``table`` is HTML, with links to manifests."""

    table: str
    legend: str


def support_part(evidence: Evidence, base: str) -> SupportPart | None:
    """None for a run without probes. ``base`` is the way from the page to the run's folder."""
    if evidence.plan is None:
        return None
    matrix = support_matrix(evidence.plan.cells, evidence.manifests)
    shown = begun(matrix)
    if not shown.entries:
        return None
    return SupportPart(html_table(shown, base), legend(matrix))
