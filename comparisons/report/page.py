"""The page: what a reader asks first stands first."""

from __future__ import annotations

import functools
import importlib.resources
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from comparisons.audit import Report
from comparisons.audit.findings import KINDS
from comparisons.claims import Judged, count_verdicts
from comparisons.claims.verdicts import PUBLISHED_STATES
from comparisons.comparison import Line
from comparisons.environments import facts
from comparisons.render import claims as claim_words
from comparisons.render import values
from comparisons.render.groups import gathered
from comparisons.report import charts
from comparisons.report.cells import describe
from comparisons.report.ladder import ladder
from comparisons.results import Evidence

MOST_LINKS = 6


class ReportInput(NamedTuple):
    """``base`` is the way from the page to the run's folder.

    ``script`` is Vega's; without it the page shows the drawn charts alone.
    """

    evidence: Evidence
    audit: Report
    base: str
    script: str


def render_page(given: ReportInput) -> str:
    """HTML that needs nothing beside it."""
    evidence = given.evidence
    drawn = {chart.id: chart for chart in charts.draw(evidence.comparisons)}
    counts = Counter(manifest.status for manifest in evidence.manifests)
    page: str = _template("page.html.j2").render(
        given=given,
        evidence=evidence,
        audit=given.audit,
        kinds=KINDS,
        verdicts=count_verdicts(evidence.claims),
        own_verdicts=_own_verdicts(evidence.claims),
        gathered=gathered,
        statuses=sorted(counts.items()),
        todo=len(evidence.plan.cells) - len(evidence.manifests) if evidence.plan else 0,
        minutes=sum(manifest.wall_s for manifest in evidence.manifests) / 60,
        charts=drawn,
        specs={id: charts.embedded(chart.spec) for id, chart in drawn.items()},
        facts=sorted((k, ", ".join(sorted(v))) for k, v in facts(evidence.manifests).items()),
        cells=[describe(manifest, given.base) for manifest in evidence.manifests],
        columns=_columns,
        ladder=ladder(evidence),
        words=values,
        claim_words=claim_words,
        links=MOST_LINKS,
        style=_resource("page.css"),
        known={manifest.id for manifest in evidence.manifests},
    )
    return page


def _own_verdicts(claims: Sequence[Judged]) -> dict[str, int]:
    """How many claims have which verdict on the paper's own numbers."""
    counts = Counter(item.published.state for item in claims)
    return dict(sorted(counts.items(), key=lambda item: PUBLISHED_STATES.index(item[0])))


def _columns(lines: Sequence[Line]) -> dict[str, bool]:
    """Which columns of a table have anything to say."""
    return {
        "published": any(line.printed for line in lines),
        "quantity": len({line.quantity for line in lines}) > 1,
        "flags": any(values.flags(line) for line in lines),
    }


@functools.cache
def _template(name: str) -> Any:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters["clean"] = values.printable
    return environment.from_string(_resource(name))


def _resource(name: str) -> str:
    return (
        importlib.resources.files("comparisons.report").joinpath(name).read_text(encoding="utf-8")
    )
