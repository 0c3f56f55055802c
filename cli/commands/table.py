"""``repliquant table``: the paper's tables, published beside measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.commands.options import as_json


@click.command("table")
@click.argument("study")
@click.argument("runs", nargs=-1)
@click.option(
    "--format",
    "format_",
    default="rich",
    show_default=True,
    help="rich, md, csv, json, latex or html.",
)
@click.option("--table", "wanted", default="", help="One table by its id, e.g. table1.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file.")
@as_json
def command(
    study: str, runs: tuple[str, ...], format_: str, wanted: str, output: Path | None, as_json: bool
) -> None:
    """The tables of STUDY's paper beside what RUNS measured (default: the latest run).

    Several runs are shown one after another, never mixed.
    """
    from papers.study import study_folder
    from services.runs import find_run, latest_run

    format_ = _checked_format("json" if as_json else format_)
    study_folder(study)
    chosen = [find_run(name) for name in runs] or [latest_run(study)]
    compared = [_compare(study, run, wanted) for run in chosen]
    if format_ == "rich" and output is None:
        for run, comparisons, environments in compared:
            _show(run, comparisons, environments)
        return
    from services.exports import tables_text, write_text

    every = [comparison for _, comparisons, _ in compared for comparison in comparisons]
    environments = [line for _, _, lines in compared for line in lines]
    text = tables_text(every, environments, "md" if format_ == "rich" else format_)
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(output, text)
    click.echo(f"written: {output}", err=True)


def show_run(study: str, run: Any) -> None:
    """All tables of one run, for people."""
    _show(*_compare(study, run, ""))


def _checked_format(format_: str) -> str:
    from comparisons.render import FORMATS
    from manifests.errors import InputError
    from manifests.select import nearest

    if format_ not in FORMATS:
        raise InputError(
            f"no format {format_!r}.{nearest(format_, FORMATS)} Accepted: {', '.join(FORMATS)}"
        )
    return format_


def _compare(study: str, run: Any, wanted: str) -> tuple[Any, list[Any], list[str]]:
    from comparisons.comparison import choose_table, compare_tables, describe_environments
    from manifests.errors import InputError
    from papers.paper import find_paper
    from services.runs import load_planned

    plan, manifests = load_planned(run)
    if plan.study != study:
        raise InputError(f"{run.folder} is a run of {plan.study}, not of {study}")
    comparisons = compare_tables(find_paper(study).tables, plan, manifests, run.id)
    return run, choose_table(comparisons, wanted), describe_environments(manifests)


def _show(run: Any, comparisons: list[Any], environments: list[str]) -> None:
    from cli.comparison_tables import rich_comparison
    from cli.console import out
    from services.phrases import printable

    console = out()
    console.print(f"run {run.folder}", markup=False)
    for comparison in comparisons:
        console.print(*rich_comparison(comparison, console.width), sep="\n")
    for line in sorted({comparison.scope_note for comparison in comparisons} - {""}):
        console.print(line, markup=False)
    for line in environments:
        console.print(printable(line), markup=False)
    console.print(
        "ratio = measured / published; n = processes. One cell: repliquant show CELL", markup=False
    )
