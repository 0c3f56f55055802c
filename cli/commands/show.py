"""``repliquant show``: one cell, and where its numbers come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.commands.options import as_json

if TYPE_CHECKING:
    from pathlib import Path

    from manifests.manifest import Manifest
    from manifests.run_folder import Run


@click.command("show")
@click.argument("cell")
@click.option("--run", "run_name", help="The run to look in (default: all runs, latest first).")
@as_json
def command(cell: str, run_name: str | None, as_json: bool) -> None:
    """The manifest of CELL (an id, or the beginning of one), readable."""
    from cli.console import print_json

    manifest, folder = _find(cell, run_name)
    if as_json:
        print_json(manifest)
        return
    from cli.console import out
    from services.manifest_lines import describe

    console = out()
    for part in describe(manifest, folder):
        console.print(part, markup=False)


def _find(cell: str, run_name: str | None) -> tuple[Manifest, Path]:
    """The manifest and its folder. Raises InputError for none or several."""
    from manifests.errors import InputError
    from services.runs import all_runs, find_run

    if len(cell) < 3 or not cell.isalnum():
        raise InputError(f"{cell!r} is not the id of a cell: give 3 to 12 of its characters")
    runs = [find_run(run_name)] if run_name else all_runs()
    for run in runs:
        found = sorted(run.cells.glob(f"{cell}*/manifest.json"))
        found = [path for path in found if "." not in path.parent.name]
        if len(found) > 1:
            ids = ", ".join(path.parent.name for path in found)
            raise InputError(f"{cell!r} could be {ids}; give more characters")
        if found:
            return _read(run, found[0].parent), found[0].parent
    where = f"run {run_name}" if run_name else "any run"
    raise InputError(f"no cell {cell!r} with a manifest in {where}. See: repliquant status RUN")


def _read(run: Run, folder: Path) -> Manifest:
    from manifests.errors import InputError

    try:
        manifest = run.manifest(folder.name)
    except OSError as error:
        raise InputError(f"{folder} can't be read: {error.strerror}") from error
    if manifest is None:
        raise InputError(f"{folder} has lost its manifest meanwhile")
    return manifest
