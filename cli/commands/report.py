"""``repliquant report``: a run as a page, or as Markdown or LaTeX."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.commands.options import in_format

if TYPE_CHECKING:
    from manifests.run_folder import Run


@click.command("report")
@click.argument("run", required=False)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
    help="The file (default: report.html in the run's folder).",
)  # fmt: skip
@in_format(("html", "md", "latex"))
def command(run: str | None, output: Path | None, format_: str) -> None:
    """Write RUN (default: the latest) as a page that needs no network and opens from disk.

    Claims, tables with links from every number to its cell, charts, audit, environment, cells.
    """
    from manifests.errors import InputError
    from services.runs import all_runs, find_run

    runs = [find_run(run)] if run else all_runs()[:1]
    if not runs:
        raise InputError("no run to report on. Run one first: repliquant run lad2023")
    click.echo(str(write(runs[0], output, format_)))


def write(run: Run, output: Path | None = None, format_: str = "html") -> Path:
    """The file that was written; what had to be left out is said on standard error."""
    from cli.console import warn
    from services.phrases import printable
    from services.reports import write_report

    written = write_report(run, output, format_)
    warn(written.warnings)
    if written.left_out:
        click.echo(f"report: {printable(written.left_out)}", err=True)
    return written.path
