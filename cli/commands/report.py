"""``repliquant report``: a run as one page, or for a paper."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

FORMATS = {"html": "report.html", "md": "report.md", "latex": "report.tex"}


@click.command("report")
@click.argument("run", required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
    help="The file (default: report.html in the run's folder).",
)  # fmt: skip
@click.option("--format", "format_", default="html", show_default=True, help="html, md or latex.")
def command(run: str | None, output: Path | None, format_: str) -> None:
    """Write RUN (default: the latest) as a page that needs no network and opens from disk.

    Claims, tables with links from every number to its cell, charts, audit, environment, cells.
    """
    from manifests.errors import InputError
    from services.runs import all_runs, find_run

    if format_ not in FORMATS:
        raise InputError(f"no format {format_!r}. Accepted: {', '.join(FORMATS)}")
    runs = [find_run(run)] if run else all_runs()[:1]
    if not runs:
        raise InputError("no run to report on. Run one first: repliquant run lad2023")
    path = write_report(runs[0], output, format_)
    click.echo(str(path))


def write_report(run: Any, output: Path | None = None, format_: str = "html") -> Path:
    """The file that was written. Raises InputError where it can't be."""
    from services.exports import write_text

    path = output or run.folder / FORMATS[format_]
    write_text(path, _render(run, path, format_))
    return path


def _render(run: Any, path: Path, format_: str) -> str:
    from comparisons.audit import audit
    from comparisons.redaction import redact, sentence
    from comparisons.results import gather
    from manifests import paths
    from papers.study import study_folder
    from services.phrases import printable
    from services.runs import load_planned

    plan, manifests = load_planned(run)
    study, known = plan.study, redact(manifests)
    folder = study_folder(study)
    evidence = gather(folder, plan, known.manifests, run.id)
    if known.left_out:
        note = sentence(known.left_out)
        click.echo(f"report: {printable(note)}", err=True)
        evidence = evidence.noting(f"{note}.")
    found = audit(folder)
    if format_ != "html":
        from comparisons.report import documents

        render = documents.render_markdown if format_ == "md" else documents.render_latex
        return render(evidence, found)
    from comparisons.report import ReportInput, render_page
    from comparisons.report.charts import script

    base = os.path.relpath(run.folder.absolute(), path.absolute().parent)
    base = "" if base == "." else f"{Path(base).as_posix()}/"
    return render_page(ReportInput(evidence, found, base, script(paths.cache() / "charts")))
