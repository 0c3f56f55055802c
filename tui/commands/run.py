"""``repliquant run``: run a study's cells, or go on with a run that was begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tui.commands.options import as_json, request_options, resource_options


@click.command("run")
@click.argument("study")
@request_options
@click.option("--engine", default="auto", show_default=True, help="Where: auto, docker, local.")
@click.option(
    "--python",
    type=click.Path(path_type=Path),
    help="Run cells with this interpreter in place of the images (--engine local).",
)
@click.option(
    "--rerun",
    multiple=True,
    metavar="STATUS|CELL",
    help="Run cells of that status (e.g. crashed), or that cell, again. Repeatable.",
)
@click.option("--threads", type=click.IntRange(0, 4096), default=0, help="0: all processors.")
@resource_options
@click.option("--tables", is_flag=True, help="End with the paper's tables.")
@click.option("-v", "--verbose", is_flag=True, help="Show every line of an installation.")
@as_json
def command(as_json: bool, verbose: bool, tables: bool, **choices: Any) -> int:
    """Run the cells of STUDY that have no manifest yet. Stopping and starting again loses nothing.

    Exit status 1 when a cell failed (crashed, ran out of memory or time), 3 when an image could
    not be made; a cell that this machine can't run is a result.
    """
    from orchestrator.sessions import Request, execute
    from tui.console import err, print_json
    from tui.progress import Progress

    try:
        with Progress(err(), verbose) as progress:
            outcome = execute(Request(**choices), progress)
    except KeyboardInterrupt:
        click.echo("finished cells are kept; the same command goes on from here", err=True)
        raise
    loaded = outcome.prepared.run.load()
    _save_tables(outcome.prepared, loaded.manifests)
    counts = _counts(outcome.prepared, loaded.manifests)
    if as_json:
        executed = [{"id": m.id, "status": m.status, "reason": m.reason} for m in outcome.ended]
        folder = str(outcome.prepared.run.folder)
        print_json({"run": folder, "executed": executed, "counts": counts})
    else:
        _say(outcome.prepared, counts, len(outcome.ended), loaded.warnings)
        if tables:
            from tui.commands.table import show_run

            show_run(outcome.prepared.study.id, outcome.prepared.run)
    if outcome.images_missing:
        return 3
    return 1 if any(counts.get(s) for s in ("crashed", "oom", "timeout", "cancelled")) else 0


def _counts(prepared: Any, manifests: list[Any]) -> dict[str, int]:
    import collections

    chosen = {planned.id for planned in prepared.chosen}
    return dict(collections.Counter(m.status for m in manifests if m.id in chosen))


def _save_tables(prepared: Any, manifests: list[Any]) -> None:
    """tables.md, tables.csv and tables.json in the run's folder."""
    from manifests.files import write_atomically
    from orchestrator.holding import disk_error
    from orchestrator.places import STUDIES
    from tables.comparison import compare_tables, describe_environments
    from tables.published import load_published
    from tables.render import TEXT_FORMATS, markdown_footer

    published = load_published(STUDIES / prepared.study.id)
    comparisons = compare_tables(published, prepared.plan, manifests, prepared.run.id)
    folder = prepared.run.folder
    try:
        for name, render in TEXT_FORMATS.items():
            text = render(comparisons)
            if name == "md":
                text += markdown_footer(describe_environments(manifests))
            write_atomically(folder / f"tables.{name}", text.encode())
    except OSError as error:
        raise disk_error(folder, error) from error


def _say(prepared: Any, counts: dict[str, int], executed: int, warnings: list[str]) -> None:
    from tui.console import err
    from tui.words import count, printable

    console = err()
    for warning in warnings:
        console.print(printable(f"warning: {warning}"), markup=False)
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    folder = prepared.run.folder
    console.print(
        f"{count(executed, 'cell')} executed; of {len(prepared.chosen)}: {told}. "
        f"Tables and manifests: {folder}",
        markup=False,
    )
    console.print(f"Next: repliquant table {prepared.study.id} {folder}", markup=False)
