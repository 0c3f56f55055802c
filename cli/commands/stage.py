"""``repliquant stage``: what a study needs, put where nodes without a network can read it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

import click

from services.run_options import request_options

if TYPE_CHECKING:
    from orchestrator.staging.stage import Need
    from services.selection import PlanChoices


@click.command("stage")
@click.argument("study")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@request_options
@click.option("--size", "only_size", is_flag=True, help="Only say what it takes.")
@click.option("--check", is_flag=True, help="Check what was staged, as it is seen here.")
@click.option("-v", "--verbose", is_flag=True, help="Show every line of an installation.")
def command(
    study: str, folder: Path, only_size: bool, check: bool, verbose: bool,
    **choices: Unpack[PlanChoices],
) -> int:  # fmt: skip
    """Put packages, environments, data and weights of STUDY into FOLDER, checked by their hashes.

    FOLDER is then the cache of those who run it: REPLIQUANT_CACHE=FOLDER. It says how many
    gigabytes that takes before it begins.
    """
    folder = folder.absolute()
    os.environ["REPLIQUANT_CACHE"] = str(folder)
    if check:
        return _check(folder)
    from orchestrator.running.request import Request, prepare
    from orchestrator.staging.stage import check_room, needs

    if choices["engine"] == "auto":
        choices["engine"] = "local"
    prepared = prepare(Request(study, **choices))
    wanted = needs(prepared)
    _say(wanted, folder)
    check_room(wanted, folder)
    if only_size:
        return 0
    from cli.console import err
    from orchestrator.staging.stage import stage
    from services.progress import Progress

    folder.mkdir(parents=True, exist_ok=True)
    with Progress(err(), verbose) as progress:
        staged = stage(prepared, folder, progress)
    whole = sum(file.size_bytes for file in staged.files)
    click.echo(f"{len(staged.files):,} files, {whole / 1e9:.2f} GB, in {folder}")
    click.echo(f"export REPLIQUANT_CACHE={folder}")
    return 0


def _say(wanted: list[Need], folder: Path) -> None:
    for need in wanted:
        click.echo(
            f"{need.what}: {need.disk_bytes / 1e9:.2f} GB, "
            f"of which {need.download_bytes / 1e9:.2f} GB to download",
            err=True,
        )
    whole = sum(need.disk_bytes for need in wanted)
    click.echo(f"{folder} will need about {whole / 1e9:.1f} GB more", err=True)


def _check(folder: Path) -> int:
    from orchestrator.staging.stage import faults, read_staged

    staged = read_staged(folder)
    found = faults(folder, staged)
    for fault in found:
        click.echo(fault)
    click.echo(f"{len(staged.files):,} files checked, {len(found)} faults", err=True)
    return 1 if found else 0
