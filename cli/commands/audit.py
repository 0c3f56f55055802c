"""``repliquant audit``: whether a paper's published numbers agree with one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.commands.options import as_json, in_format

if TYPE_CHECKING:
    from comparisons.audit import Report


@click.command("audit")
@click.argument("study")
@in_format(("rich", "md"), also="and --json")
@as_json
def command(study: str, format_: str, as_json: bool) -> None:
    """Recompute STUDY's published numbers from one another. Measures nothing, needs no run.

    A finding is a fact about numbers: where, the numbers, the rule, its confidence, and a
    possible explanation where there is one.
    """
    from cli.console import print_json
    from comparisons.audit import audit
    from comparisons.render import audits
    from papers.study import study_folder

    folder = study_folder(study)
    report = audit(folder)
    if not (folder / "audit.toml").is_file():
        click.echo(f"{study} has no audit.toml: only derived columns are recomputed", err=True)
    if as_json:
        print_json(audits.plain(report))
    elif format_ == "md":
        click.echo(audits.render_markdown(study, report), nl=False)
    else:
        _print(study, report)


def _print(study: str, report: Report) -> None:
    from cli.console import out
    from comparisons.render import audits
    from services.phrases import count
    from services.tables import table

    console = out()
    title = f"Audit of the numbers that {study} publishes"
    rows = [audits.row(finding) for finding in report.findings]
    if rows:
        console.print(table(title, audits.HEADER, rows))
    console.print(f"{count(len(rows), 'finding')}", markup=False)
    for line in audits.checked(report):
        console.print(line, markup=False)
