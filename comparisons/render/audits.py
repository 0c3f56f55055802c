"""Audits as text: Markdown and JSON."""

from __future__ import annotations

from typing import Any

from comparisons.audit import Finding, Report
from comparisons.audit.findings import KINDS
from comparisons.render import markdown, values

HEADER = ["place", "finding", "where", "confidence", "possible explanation"]
TOLD = 4


def row(finding: Finding) -> list[str]:
    """In the order of HEADER."""
    return [
        finding.place, finding.rule, where(finding, TOLD), finding.sure,
        finding.innocent or values.NONE,
    ]  # fmt: skip


def where(finding: Finding, most: int) -> str:
    """The places, at most so many."""
    told = "; ".join(finding.where[:most])
    left = len(finding.where) - most
    return f"{told}; and {left} more" if left > 0 else told


def details(finding: Finding) -> list[tuple[str, str]]:
    """How sure it is, how it may have come about, and every place; later places have no name."""
    named = list(zip(HEADER, row(finding), strict=True))[3:]
    return [*named, *((("" if n else HEADER[2]), at) for n, at in enumerate(finding.where))]


def checked(report: Report) -> list[str]:
    """What was looked at, a line a kind, and what is known of the paper's rounding."""
    lines = [
        f"{report.checked[kind]:,} checked: {about}"
        for kind, about in KINDS.items()
        if report.checked.get(kind)
    ]
    return [*lines, *report.notes]


def render_markdown(study: str, report: Report) -> str:
    """One table; ends with a newline."""
    rows = [row(finding) for finding in report.findings]
    title = f"Audit of the numbers that {study} publishes"
    return markdown.simple_table(title, HEADER, rows)


def plain(report: Report) -> dict[str, Any]:
    """For JSON, with every place."""
    return {
        "findings": [finding._asdict() for finding in report.findings],
        "checked": report.checked,
        "notes": report.notes,
    }
