"""``repliquant bundle``: a run with everything behind it as one archive."""

from __future__ import annotations

from pathlib import Path

import click

from cli.commands.options import as_json


@click.command("bundle")
@click.argument("run")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False),
    help="The file (default: RUN.crate.zip in the working directory).",
)  # fmt: skip
@click.option("--artifacts", is_flag=True, help="Also the models that the cells left.")
@as_json
def command(run: str, output: Path | None, artifacts: bool, as_json: bool) -> None:
    """RUN as an RO-Crate: plan, manifests, raw samples, logs, published tables, report.

    Anyone can check it with: repliquant verify FILE
    """
    from cli.console import print_json
    from services.archives import archive_name, bundle, contents
    from services.phrases import printable
    from services.runs import find_run

    found = find_run(run)
    target = output or archive_name(found)
    made = bundle(found, target, artifacts)
    for warning in made.warnings:
        click.echo(f"warning: {printable(warning)}", err=True)
    click.echo(contents(made, artifacts), err=True)
    if as_json:
        print_json({"file": str(target), **made._asdict()})
    else:
        click.echo(str(target))
