"""``repliquant export``: a run's samples or metrics as one long table for other tools."""

from __future__ import annotations

from pathlib import Path

import click

from services.parameters import ChoiceWithHint


@click.command("export")
@click.argument("run")
@click.option(
    "--format", "format_", type=ChoiceWithHint("format", ("csv", "parquet")), default="csv",
    show_default=True, help="csv or parquet; Parquet needs polars.",
)  # fmt: skip
@click.option(
    "--table", type=ChoiceWithHint("table", ("samples", "metrics")), default="samples",
    show_default=True,
    help="samples: a row for each sample; metrics: a row for each metric, with its median.",
)  # fmt: skip
@click.option("-k", "expression", default="", help="Choose cells, e.g. 'pytorch and ptq'.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
    help="The file (default for CSV: standard output).",
)  # fmt: skip
def command(run: str, format_: str, table: str, expression: str, output: Path | None) -> None:
    """RUN as a tidy table: a column for each field of the cell, a row for each sample.

    Cells that failed have a row with their status and reason and without a metric.
    """
    from cli.console import warn
    from manifests.select import Selector
    from services.results import read_results
    from services.runs import find_run
    from services.tidy_files import TABLES, as_csv, check_format, write_table

    check_format(format_, output)
    selector = Selector(expression)
    results = read_results(find_run(run))
    warn(results.warnings)
    columns = TABLES[table]([each for each in results.manifests if selector.accepts(each.cell)])
    if output is None:
        click.echo(as_csv(columns), nl=False)
        return
    write_table(output, columns, format_)
    click.echo(str(output))
