"""The same report for a paper: Markdown and LaTeX."""

from __future__ import annotations

from comparisons.audit import Report
from comparisons.claims import Judged
from comparisons.render import audits, claims, latex, markdown
from comparisons.report.ladder import ladder
from comparisons.results import Evidence


def render_markdown(evidence: Evidence, audit: Report) -> str:
    """Claims, tables, environment, speedups and audit."""
    paper = evidence.paper
    parts = [
        f"# {markdown.text(paper.title)}\n",
        f"{markdown.text(', '.join(paper.authors))} {paper.year}. "
        f"Reproduction, {markdown.text(evidence.scope)}.\n",
        claims.render_markdown(evidence.claims, evidence.scope),
        markdown.render(evidence.comparisons),
        markdown.footer(evidence.environments),
    ]
    for part in ladder(evidence):
        title = f"Where each speedup comes from: {part.title}"
        parts.append(markdown.simple_table(title, part.header, part.rows))
        parts += [f"{markdown.text(line)}\n" for line in part.legend]
    if audit.findings:
        parts.append(audits.render_markdown(evidence.study, audit))
    return "\n".join(parts)


def render_latex(evidence: Evidence, audit: Report) -> str:
    """Tables for \\input; each names its label, which begins with the study's name."""
    study = evidence.study
    judged = [
        [item.number, item.claim.text, item.published.state, claims.measured(item), _flags(item)]
        for item in evidence.claims
    ]
    header = ["claim", "the paper says", "published", "measured", "flags"]
    caption = f"Claims of {evidence.paper.title}, {evidence.scope}"
    parts = [
        *latex.tables(evidence.comparisons),
        latex.table([study, "claims"], caption, header, judged),
    ]
    for number, part in enumerate(ladder(evidence), start=1):
        caption = f"Where each speedup comes from: {part.title}"
        parts.append(latex.table([study, f"ladder{number}"], caption, part.header, part.rows))
    if audit.findings:
        rows = [audits.row(finding) for finding in audit.findings]
        caption = f"Audit of the numbers that {study} publishes"
        parts.append(latex.table([study, "audit"], caption, audits.HEADER, rows))
    return latex.with_preamble("\n".join(parts))


def _flags(judged: Judged) -> str:
    return ", ".join(judged.flagged)
