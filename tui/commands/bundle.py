"""``repliquant bundle``: a run with everything behind it as one archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tui.commands.options import as_json


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
    from orchestrator.errors import InputError
    from tables.archive import RefusedError
    from tui.console import print_json
    from tui.runs import find_run
    from tui.words import count, printable, size

    found = find_run(run)
    target = output or Path(f"{found.folder.absolute().name}.crate.zip")
    try:
        made = _bundle(found, target, artifacts)
    except RefusedError as error:
        raise InputError(f"the archive of {run} {error}") from error
    except OSError as error:
        raise InputError(
            f"-o {target} can't be written to: {error.strerror}. Choose another file"
        ) from error
    for warning in made.warnings:
        click.echo(f"warning: {printable(warning)}", err=True)
    if made.left_out:
        why = "models" if not artifacts else "files"
        click.echo(
            f"left out: {count(len(made.left_out), why[:-1])} (their hashes are in)", err=True
        )
    click.echo(f"{count(made.files, 'file')}, {size(made.size_bytes)}", err=True)
    if as_json:
        print_json({"file": str(target), **made._asdict()})
    else:
        click.echo(str(target))


def _bundle(run: Any, target: Path, artifacts: bool) -> Any:
    from orchestrator import places
    from orchestrator.kit import describe
    from tables.archive import write_bundle
    from tables.archive.bundling import Sources
    from tables.report.charts import script
    from tui.runs import plan_of

    plan = plan_of(run)
    sources = Sources(run, places.STUDIES / plan.study, places.IMAGES)
    return write_bundle(
        sources, plan, target, describe(), lambda: script(places.cache() / "charts"), artifacts
    )
