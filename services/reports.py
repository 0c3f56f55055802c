"""Writing the report of a run, for the command line and the screen."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from comparisons.audit import Report, audit
from comparisons.redaction import redact, sentence
from comparisons.results import Evidence
from manifests import paths
from manifests.run_folder import Run
from papers.study import study_folder
from services.exports import write_text
from services.results import judge_claims, read_results
from services.up_to_date import up_to_date

FORMATS = {"html": "report.html", "md": "report.md", "latex": "report.tex"}


class Written(NamedTuple):
    """The file, what was left out of the run, and what was left out of the file."""

    path: Path
    warnings: list[str]
    left_out: str


def write_report(run: Run, output: Path | None = None, format_: str = "html") -> Written:
    """Raises InputError where the run can't be read or the file not be written."""
    path = output or run.folder / FORMATS[format_]
    results = read_results(run)
    redacted = redact(results.manifests)
    evidence = judge_claims(results._replace(manifests=redacted.manifests))
    left_out = sentence(redacted.left_out) if redacted.left_out else ""
    evidence = evidence.noting(f"{left_out}." if left_out else "")
    findings = audit(study_folder(results.plan.study))
    write_text(path, _render(evidence, findings, run, path, format_))
    return Written(path, results.warnings, left_out)


def is_current(run: Run) -> bool:
    """Whether the page in the run's folder is newer than all that it is made from."""
    return up_to_date(run, (FORMATS["html"],))


def _render(evidence: Evidence, findings: Report, run: Run, path: Path, format_: str) -> str:
    if format_ != "html":
        from comparisons.report import documents

        render = documents.render_markdown if format_ == "md" else documents.render_latex
        return render(evidence, findings)
    from comparisons.report import ReportInput, render_page
    from comparisons.report.charts import script

    base = os.path.relpath(run.folder.absolute(), path.absolute().parent)
    base = "" if base == "." else f"{Path(base).as_posix()}/"
    return render_page(ReportInput(evidence, findings, base, script(paths.cache() / "charts")))
