"""The same report for a paper: Markdown and LaTeX."""

from __future__ import annotations

from tables.audit import Report
from tables.evidence import Evidence
from tables.render import audits, claims, latex, markdown
from tables.render import words as shown


def render_markdown(evidence: Evidence, audit: Report) -> str:
    """Claims, tables, audit and environment."""
    paper = evidence.paper
    parts = [
        f"# {markdown.text(paper.title)}\n",
        f"{markdown.text(', '.join(paper.authors))} {paper.year}. "
        f"Reproduction, {markdown.text(evidence.scope)}.\n",
        claims.render_markdown(evidence.claims, evidence.scope),
        markdown.render(evidence.comparisons),
        markdown.footer(evidence.environments),
    ]
    if audit.findings:
        parts.append(audits.render_markdown(evidence.study, audit))
    return "\n".join(parts)


def render_latex(evidence: Evidence, audit: Report) -> str:
    """Tables for \\input; each names its label."""
    judged = [
        [item.number, item.claim.text, item.published.state, claims.measured(item)]
        for item in evidence.claims
    ]
    header = ["claim", "the paper says", "own numbers", "measured"]
    caption = f"Claims of {evidence.paper.title}, {evidence.scope}"
    parts = [
        *latex.tables(evidence.comparisons),
        latex.table("claims", caption, r"lp{0.5\linewidth}ll", header, judged),
    ]
    if audit.findings:
        rows = [[f.place, f.rule, f.sure] for f in audit.findings]
        caption = f"Audit of the numbers that {evidence.study} publishes"
        columns = r"p{0.2\linewidth}p{0.6\linewidth}l"
        parts.append(latex.table("audit", caption, columns, ["place", "finding", "sure"], rows))
    return latex.with_preamble("\n".join(parts)).replace(shown.NONE, "--")
