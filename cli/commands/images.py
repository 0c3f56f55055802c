"""``repliquant images``: the environments that cells run in."""

from __future__ import annotations

from typing import Any

import click

from cli.commands.options import as_json


@click.group("images")
def command() -> None:
    """The environments that cells run in: list, build, verify."""


_engine = click.option(
    "--engine", default="auto", show_default=True, help="Whose: auto, docker, local."
)
_names = click.argument("names", nargs=-1)
_base = click.option(
    "--base", metavar="IMAGE", help="Build on another image than the Dockerfile's."
)
_verbose = click.option("-v", "--verbose", is_flag=True, help="Show every line of a build.")


@command.command("list")
@_engine
@as_json
def list_(engine: str, as_json: bool) -> None:
    """Every image, what it is, and whether it is ready."""
    from cli.console import out, print_json, table

    made = _make(engine)
    rows = [
        (image.name, image.file.framework, image.file.about, made.status(image))
        for image in _images(())
    ]
    columns = ("image", "framework", "what", "state")
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        out().print(table(f"Images (engine {made.name})", columns, rows))


@command.command("build")
@_names
@_engine
@_base
@_verbose
def build(names: tuple[str, ...], engine: str, base: str | None, verbose: bool) -> int:
    """Make images ready (default: all). One that fails does not keep the others from it."""
    from cli.console import err
    from cli.progress import Progress
    from manifests.errors import KitError
    from services.phrases import printable

    _use_base(base)
    made = _make(engine)
    images = _images(names)
    failed = 0
    with Progress(err(), verbose) as progress:
        for image in images:
            try:
                made.prepare(image, progress)
                click.echo(f"{image.name}: ready")
            except KitError as error:
                failed += 1
                click.echo(f"repliquant: {printable(str(error), lines=True)}", err=True)
    return 3 if failed else 0


@command.command("verify")
@_names
@_engine
def verify(names: tuple[str, ...], engine: str) -> int:
    """Prove that built images do what the studies need (default: all that are built)."""
    from manifests.errors import MachineError
    from services.phrases import printable

    made = _make(engine)
    images = [image for image in _images(names) if names or made.status(image) == "ready"]
    if not images:
        raise MachineError("no image is built yet; run: repliquant images build")
    failed = 0
    for image in images:
        if made.status(image) != "ready":
            raise MachineError(
                f"{image.name} is not built; run: repliquant images build {image.name}"
            )
        passed, printed = made.verify(image)
        failed += not passed
        click.echo(f"{image.name}:\n{printable(printed, lines=True).strip()}", err=not passed)
    return 3 if failed else 0


@command.command("lock")
@_names
@click.option("--keep-versions", is_flag=True, help="Look for the hashes only.")
def lock(names: tuple[str, ...], keep_versions: bool) -> int:
    """Resolve the images' requirements.in anew into requirements.txt (default: all)."""
    from orchestrator.environments.lockfiles import lock_image

    for image in _images(names):
        changed = lock_image(image, keep_versions)
        click.echo(f"{image.name}: {'changed' if changed else 'as it was'}")
    return 0


@command.command("prune")
@click.option("--yes", is_flag=True, help="Remove it; without this it is only shown.")
@click.option(
    "--older-than", metavar="MINUTES", type=click.FloatRange(min=0), default=10.0,
    show_default=True, help="Leave alone what is newer: a build may be going on.",
)  # fmt: skip
@as_json
def prune(yes: bool, older_than: float, as_json: bool) -> int:
    """Show, and with --yes remove, what builds have left in Docker's store.

    Only untagged layers that builds of ours have made; the next build makes what it needs anew.
    """
    from cli.console import out, print_json, table
    from orchestrator.engines.docker import pruning
    from orchestrator.engines.docker.daemon import connect, explained
    from services.phrases import count, size

    daemon = connect()
    with explained(daemon.address):
        found = pruning.leftovers(daemon, older_than * 60)
        pruned = pruning.prune(daemon, older_than * 60) if yes else None
    if as_json:
        done = pruned._asdict() if pruned else None
        print_json({"left": [each._asdict() for each in found], "pruned": done})
        return 1 if pruned and pruned.kept else 0
    if pruned is None and found:
        rows = [
            (left.image, left.id.removeprefix("sha256:")[:12], size(left.own_bytes or 0))
            for left in found
        ]
        out().print(table("Left by builds", ("image", "id", "size"), rows))
        click.echo("Nothing was removed. To remove it: repliquant images prune --yes")
    elif pruned is None:
        click.echo("Builds have left nothing")
    else:
        click.echo(f"removed {count(pruned.removed, 'layer')}, {size(pruned.freed_bytes)} freed")
        for why in pruned.kept:
            click.echo(f"kept: {why}", err=True)
    return 1 if pruned and pruned.kept else 0


@command.command("host")
@_base
@_verbose
def host(base: str | None, verbose: bool) -> int:
    """Build the host side itself as an image, which drives a mounted Docker socket."""
    from cli.console import err
    from cli.progress import Progress
    from orchestrator.engines.docker.host_image import build_host

    _use_base(base)
    with Progress(err(), verbose) as progress:
        name = build_host(progress)
    click.echo(name)
    return 0


def _make(engine: str) -> Any:
    """The engine; ``auto`` is the one that a run of every image would take."""
    from orchestrator.engines.auto import choose_engine
    from orchestrator.engines.registry import AUTO, make_engine

    return choose_engine(_images(())).engine if engine == AUTO else make_engine(engine)


def _use_base(base: str | None) -> None:
    import os

    if base:
        os.environ["REPLIQUANT_BASE"] = base


def _images(names: tuple[str, ...]) -> list[Any]:
    from orchestrator.environments.images import image_names, load_image

    return [load_image(name) for name in names or image_names()]
