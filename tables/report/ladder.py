"""The decomposition of speedups, as tables of the page."""

from __future__ import annotations

from typing import NamedTuple

from tables.decomposition import Explanation, Factor, explain_measured, explain_published
from tables.evidence import Evidence
from tables.measured import Points

HEADER = ["point", "technique", "over", "speedup", "made of"]


class LadderPart(NamedTuple):
    """All speedups of one source: a table of the paper, or a protocol of the run."""

    title: str
    header: list[str]
    rows: list[list[str]]


def ladder(evidence: Evidence) -> list[LadderPart]:
    """Published first; what has no speedup at all gives no part."""
    found = explain_published(evidence.published)
    if evidence.plan is not None:
        points = Points(evidence.plan.cells, evidence.manifests)
        found += explain_measured(evidence.plan, points)
    known = [item for item in found if item.total is not None]
    return [
        LadderPart(source, HEADER, [_row(item) for item in known if item.source == source])
        for source in dict.fromkeys(item.source for item in known)
    ]


def _row(item: Explanation) -> list[str]:
    point = item.point
    words = [
        point.get("model", ""),
        f"{point['image_size']} px" if "image_size" in point else "",
        f"batch {point['batch_size']}" if "batch_size" in point else "",
        point["framework"],
        point.get("device", ""),
    ]
    made = " · ".join(_factor(factor) for factor in item.factors)
    place = " ".join(word for word in words if word)
    return [place, item.technique, item.baseline, f"{item.total:.2f}", made]


def _factor(factor: Factor) -> str:
    share = "" if factor.share is None else f" ({factor.share:.0%})"
    return f"{factor.kind} {factor.value:.2f}{share}"
