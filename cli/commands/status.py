"""``repliquant status``: what of a run is done, failed, or still to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.commands.options import as_json

if TYPE_CHECKING:
    from manifests.run_folder import Run


@click.command("status")
@click.argument("run", required=False)
@as_json
def command(run: str | None, as_json: bool) -> None:
    """What of RUN is done, failed, or still to do (default: every run, a line each)."""
    from cli.console import print_json
    from services.runs import all_runs, find_run

    if run is None:
        _all(all_runs(), as_json)
        return
    rows = _rows(find_run(run))
    if as_json:
        print_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
    else:
        _print(run, rows)


COLUMNS = ("cell", "what", "status", "seconds", "reason")


def _rows(run: Run) -> list[tuple[str, str, str, str, str]]:
    from cli.console import warn
    from services.queued_cells import queued
    from services.runs import plan_of

    plan = plan_of(run)
    loaded = run.load()
    warn(loaded.warnings)
    found = {manifest.id: manifest for manifest in loaded.manifests}
    queue = queued(run, [planned.id for planned in plan.cells if planned.id not in found])
    rows = []
    for planned in plan.cells:
        manifest = found.get(planned.id)
        if manifest is None:
            begun = "begun" if run.cell_folder(planned.id).exists() else "to do"
            state, words = queue.get(planned.id, (begun, planned.skip))
            rows.append((planned.id, planned.cell.title, state, "", words))
        else:
            seconds = f"{manifest.wall_s:.1f}"
            rows.append((planned.id, planned.cell.title, manifest.status, seconds, manifest.reason))
    return rows


def _print(name: str, rows: list[tuple[str, str, str, str, str]]) -> None:
    import collections

    from cli.console import out
    from services.tables import table

    console = out()
    console.print(table(f"Run {name}", COLUMNS, rows, right=("seconds",)))
    counts = collections.Counter(row[2] for row in rows)
    console.print(", ".join(f"{n:,} {state}" for state, n in counts.items()), markup=False)


def _all(runs: list[Run], as_json: bool) -> None:
    import collections

    from cli.console import out, print_json
    from manifests.errors import InputError
    from services.phrases import printable
    from services.tables import table

    rows = []
    for run in runs:
        try:
            counts = collections.Counter(row[2] for row in _rows(run))
        except InputError as error:
            click.echo(f"warning: {printable(str(error))}", err=True)
            continue
        rows.append((run.id, ", ".join(f"{n:,} {state}" for state, n in counts.items())))
    if as_json:
        print_json([{"run": name, "cells": cells} for name, cells in rows])
    else:
        out().print(table("Runs", ("run", "cells"), rows))
