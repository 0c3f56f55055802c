"""``repliquant images``: the environments that cells run in."""

from __future__ import annotations

from pathlib import Path
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
def list_(engine: str, as_json: bool) -> int:
    """Every image, what it is, and whether it is ready; also one that is broken."""
    from cli.console import err, out, print_json
    from orchestrator.environments.images import load_images
    from services.phrases import printable
    from services.tables import table

    images, broken = load_images()
    made = _make(engine, images)
    columns = ("image", "framework", "what", "state")
    rows = [
        (image.name, image.file.framework, image.file.about, _state(made, image))
        for image in images
    ]
    rows += [(name, "", "", f"broken: {why}" if as_json else "broken") for name, why in
             broken.items()]  # fmt: skip
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in sorted(rows)])
    else:
        out().print(table(f"Images (engine {made.name})", columns, sorted(rows)))
    for why in broken.values():
        err().print(f"broken: {printable(why)}", markup=False, highlight=False, soft_wrap=True)
    return 1 if broken else 0


def _state(engine: Any, image: Any) -> str:
    """What the engine says; an image that isn't locked yet has no state there."""
    if not image.lock.exists():
        return f"not locked; run: repliquant images lock {image.name}"
    return str(engine.status(image))


@command.command("build")
@_names
@_engine
@_base
@_verbose
def build(names: tuple[str, ...], engine: str, base: str | None, verbose: bool) -> int:
    """Make images ready (default: all). One that fails does not keep the others from it."""
    from cli.console import err
    from manifests.errors import RepliquantError
    from services.phrases import printable
    from services.progress import Progress

    _use_base(base)
    images, failed = _images(names)
    made = _make(engine, images)
    with Progress(err(), verbose) as progress:
        for image in images:
            try:
                made.prepare(image, progress)
                click.echo(f"{image.name}: ready")
            except RepliquantError as error:
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

    images, failed = _images(names)
    made = _make(engine, images)
    images = [image for image in images if names or _state(made, image) == "ready"]
    if not images:
        raise MachineError("no image is built yet; run: repliquant images build")
    for image in images:
        if _state(made, image) != "ready":
            raise MachineError(
                f"{image.name} is not built; run: repliquant images build {image.name}"
            )
        passed, printed = made.verify(image)
        failed += not passed
        click.echo(f"{image.name}:\n{printable(printed, lines=True).strip()}", err=not passed)
    return 3 if failed else 0


@command.command("shell")
@click.argument("name")
@click.argument("arguments", nargs=-1, metavar="[-- COMMAND ...]")
@_engine
def shell(name: str, arguments: tuple[str, ...], engine: str) -> int:
    """Open a shell in an image, or run COMMAND there, with what a cell would have.

    The image is made first where it isn't. The folder that it starts in goes with it.
    """
    from cli.console import err
    from manifests.errors import InputError
    from orchestrator.engines.registry import AUTO, entry
    from orchestrator.environments.images import load_image
    from services.progress import Progress

    image = load_image(name)
    if engine != AUTO and entry(engine).shell is None:
        raise InputError(f"the engine {engine} has no shell. Accepted: {', '.join(_with_shell())}")
    made = _make(engine, [image])
    with Progress(err()) as progress:
        made.prepare(image, progress)
    run = entry(made.name).shell
    assert run is not None
    return run(image, arguments)


def _with_shell() -> list[str]:
    from orchestrator.engines.registry import entry, names

    return [name for name in names() if entry(name).shell is not None]


@command.command("lock")
@_names
@click.option("--keep-versions", is_flag=True, help="Look for the hashes only.")
def lock(names: tuple[str, ...], keep_versions: bool) -> int:
    """Resolve the images' requirements.in anew into requirements.txt (default: all)."""
    from orchestrator.environments.lockfiles import lock_image

    images, failed = _images(names)
    for image in images:
        changed = lock_image(image, keep_versions)
        click.echo(f"{image.name}: {'changed' if changed else 'as it was'}")
    return 2 if failed else 0


@command.command("new")
@click.argument("name")
@click.option("--framework", required=True, help="Whose cells run in it: a folder of runners.")
@click.option("--python", default="3.11", show_default=True, help="The version of its Python.")
@click.option("--about", default="", help="What it is, in a line.")
@click.option(
    "--into", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
    help="Where its folder images/ lies: the first of REPLIQUANT_PATH, else Repliquant's own.",
)  # fmt: skip
def new(name: str, framework: str, python: str, about: str, into: Path | None) -> int:
    """Write an image's folder: image.toml, requirements.in and its checks, to be filled in."""
    from manifests.runner_files import framework_folders
    from manifests.suggest import nearest
    from orchestrator.environments.new_image import write_image

    folder = write_image(name, framework, python, about, into)
    click.echo(f"{folder}: written")
    known = list(framework_folders())
    if framework not in known:
        click.echo(
            f"No runners here are of framework {framework!r}.{nearest(framework, known)} "
            f"There are: {', '.join(known)}",
            err=True,
        )
    click.echo(
        f"Next: name its packages in {folder / 'requirements.in'}, then\n"
        f"  repliquant images lock {name}\n  repliquant images build {name}",
        err=True,
    )
    return 0


@command.command("dockerfile")
@click.argument("name")
def show_dockerfile(name: str) -> None:
    """Print an image's Dockerfile; it builds from the project's root."""
    from orchestrator.engines.docker.dockerfile import dockerfile
    from orchestrator.environments.images import load_image

    click.echo(dockerfile(load_image(name)), nl=False)


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
    from cli.console import out, print_json
    from orchestrator.engines.docker import pruning
    from orchestrator.engines.docker.daemon import connect
    from services.phrases import count, size
    from services.tables import table

    daemon = connect()
    with daemon.explained():
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
    from orchestrator.engines.docker.host_image import build_host
    from services.progress import Progress

    _use_base(base)
    with Progress(err(), verbose) as progress:
        name = build_host(progress)
    click.echo(name)
    return 0


def _make(engine: str, images: list[Any]) -> Any:
    """The engine; ``auto`` is the one that a run of these images would take."""
    from orchestrator.engines.auto import choose_engine
    from orchestrator.engines.registry import AUTO, make_engine

    return choose_engine(images).engine if engine == AUTO else make_engine(engine)


def _use_base(base: str | None) -> None:
    import os

    if base:
        os.environ["REPLIQUANT_BASE"] = base


def _images(names: tuple[str, ...]) -> tuple[list[Any], int]:
    """The images, and how many can't be used, which is said; all by default.

    Raises InputError where one that was asked for is among them.
    """
    from manifests.errors import InputError
    from orchestrator.environments.images import load_images
    from services.phrases import printable

    images, broken = load_images(names)
    if names and broken:
        raise InputError("; ".join(broken.values()))
    for name, why in broken.items():
        click.echo(f"repliquant: {name}: {printable(why)}", err=True)
    return images, len(broken)
