"""``repliquant table``: the paper's tables, published beside measured."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.commands.options import as_json, in_format

if TYPE_CHECKING:
    from comparisons.comparison import Comparison
    from services.results import Results


@click.command("table")
@click.argument("study")
@click.argument("runs", nargs=-1)
@in_format(("rich", "md", "csv", "json", "latex", "html"))
@click.option("--table", "wanted", default="", help="One table by its id, e.g. table1.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file.")
@as_json
def command(
    study: str, runs: tuple[str, ...], format_: str, wanted: str, output: Path | None, as_json: bool
) -> None:
    """The tables of STUDY's paper beside what RUNS measured (default: the latest run).

    Several runs are shown one after another, never mixed.
    """
    from cli.console import warn
    from papers.study import load_study
    from services.results import compare_with_paper, environment_lines, read_results
    from services.runs import find_run, latest_run

    format_ = "json" if as_json else format_
    load_study(study)
    chosen = [find_run(name) for name in runs] or [latest_run(study)]
    every = [read_results(run, study) for run in chosen]
    for results in every:
        warn(results.warnings)
    compared = [compare_with_paper(results, wanted) for results in every]
    if format_ == "rich" and output is None:
        for results, comparisons in zip(every, compared, strict=True):
            _show(results, comparisons)
        return
    from services.exports import tables_text, write_text

    flat = [comparison for comparisons in compared for comparison in comparisons]
    text = tables_text(flat, environment_lines(every), "md" if format_ == "rich" else format_)
    if output is None:
        click.echo(text, nl=False)
        return
    write_text(output, text)
    click.echo(f"written: {output}", err=True)


def show_tables(results: Results) -> None:
    """All tables of one run, for people."""
    from services.results import compare_with_paper

    _show(results, compare_with_paper(results))


def _show(results: Results, comparisons: list[Comparison]) -> None:
    from cli.comparison_tables import rich_comparison
    from cli.console import out
    from services.phrases import printable
    from services.results import environment_lines

    console = out()
    console.print(f"run {results.run.folder}", markup=False)
    for comparison in comparisons:
        console.print(*rich_comparison(comparison, console.width), sep="\n")
    for line in sorted({comparison.scope_note for comparison in comparisons} - {""}):
        console.print(line, markup=False)
    for line in environment_lines([results]):
        console.print(printable(line), markup=False)
    console.print(
        "ratio = measured / published; n = processes. One cell: repliquant show CELL", markup=False
    )
