"""The page: what a reader asks first stands first."""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Sequence
from typing import Any, NamedTuple

from comparisons.audit import Report
from comparisons.audit.findings import KINDS
from comparisons.comparison import Comparison, Line
from comparisons.environments import facts
from comparisons.gpu_only import gpu_only_cells
from comparisons.render import claims as claim_words
from comparisons.render import values
from comparisons.render.groups import gathered
from comparisons.render.pareto import LEGEND as PARETO_LEGEND
from comparisons.report import charts
from comparisons.report.cells import cell_parts
from comparisons.report.figure_charts import figure_parts
from comparisons.report.first_page import first_page
from comparisons.report.folded import Fold, folded
from comparisons.report.ladder import ladder, ladder_charts
from comparisons.report.pareto_charts import pareto_parts
from comparisons.report.support import support_part
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
    of_tables = {chart.id: chart for chart in charts.draw(_not_in_figures(evidence))}
    figures, parts = figure_parts(evidence), ladder(evidence)
    of_ladders, fronts = ladder_charts(parts), pareto_parts(evidence)
    every = [*of_tables.values(), *of_ladders.values()]
    every += [chart for figure in figures for _, chart in figure.panels]
    every += [part.chart for part in fronts if part.chart is not None]
    page: str = _template("page.html.j2").render(
        given=given,
        evidence=evidence,
        first=first_page(evidence),
        audit=given.audit,
        kinds=KINDS,
        tables=_tables(evidence),
        charts=of_tables,
        ladder=parts,
        ladder_charts=of_ladders,
        fronts=fronts,
        support=support_part(evidence, given.base),
        figures=figures,
        specs={chart.id: charts.embedded(chart.spec) for chart in every},
        facts=sorted((k, ", ".join(sorted(v))) for k, v in facts(evidence.manifests).items()),
        cells=cell_parts(evidence, given.base),
        columns=_columns,
        words=values,
        front_legend=PARETO_LEGEND,
        claim_words=claim_words,
        links=MOST_LINKS,
        style=_resource("page.css"),
        known={manifest.id for manifest in evidence.manifests},
    )
    return page


def _not_in_figures(evidence: Evidence) -> list[Comparison]:
    """The tables with a chart of their own: a figure shows what was measured, but no ratios."""
    drawn = {figure.table for figure in evidence.figures}
    return [
        one for one in evidence.comparisons
        if one.id not in drawn or any(line.ratio is not None for line in one.lines)
    ]  # fmt: skip


class TablePart(NamedTuple):
    """A table of the paper as the page shows it: ``kept`` rows, and those behind one line."""

    table: Comparison
    kept: list[Line]
    folds: list[Fold]
    reasons: list[str]


def _tables(evidence: Evidence) -> list[TablePart]:
    gpu_only = gpu_only_cells(evidence.plan, evidence.manifests)
    found = []
    for table in evidence.comparisons:
        kept, folds = folded(gathered(table.lines), gpu_only)
        found.append(TablePart(table, kept, folds, values.reasons(table._replace(lines=kept))))
    return found


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
    environment.filters["clean"] = _clean
    environment.filters["spaced"] = _spaced
    return environment.from_string(_resource(name))


def _clean(text: str) -> str:
    """What may be shown: no control characters, no names of fields."""
    return values.field_words(values.printable(str(text)))


def _spaced(name: str) -> str:
    """A column's or a key's name as a heading."""
    return values.printable(name).replace("_", " ")


def _resource(name: str) -> str:
    return (
        importlib.resources.files("comparisons.report").joinpath(name).read_text(encoding="utf-8")
    )
