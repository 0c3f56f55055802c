"""``repliquant images``: the environments that cells run in."""

from __future__ import annotations

from typing import Any

import click

from tui.commands.options import as_json


@click.group("images")
def command() -> None:
    """The environments that cells run in: list, build, verify."""


_engine = click.option("--engine", default="auto", show_default=True, help="Whose: auto, local.")
_names = click.argument("names", nargs=-1)


@command.command("list")
@_engine
@as_json
def list_(engine: str, as_json: bool) -> None:
    """Every image, what it is, and whether it is ready."""
    from orchestrator.engines import make_engine
    from tui.console import out, print_json, table

    made = make_engine(engine)
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
@click.option("-v", "--verbose", is_flag=True, help="Show every line of an installation.")
def build(names: tuple[str, ...], engine: str, verbose: bool) -> int:
    """Make images ready (default: all). One that fails does not keep the others from it."""
    from orchestrator.engines import make_engine
    from orchestrator.errors import KitError
    from orchestrator.news import Note
    from tui.console import err
    from tui.progress import Progress
    from tui.words import printable

    made = make_engine(engine)
    images = _images(names)
    failed = 0
    with Progress(err(), verbose) as progress:
        for image in images:
            try:
                made.prepare(image, lambda line: progress(Note(line, "detail")))
                click.echo(f"{image.name}: ready")
            except KitError as error:
                failed += 1
                click.echo(f"repliquant: {printable(str(error), lines=True)}", err=True)
    return 3 if failed else 0


@command.command("verify")
@_names
def verify(names: tuple[str, ...]) -> int:
    """Prove that built images do what the studies need (default: all that are built)."""
    from orchestrator.engines import venvs
    from orchestrator.errors import MachineError

    images = [image for image in _images(names) if names or venvs.ready(image)]
    if not images:
        raise MachineError("no image is built yet; run: repliquant images build")
    failed = 0
    for image in images:
        if not venvs.ready(image):
            raise MachineError(
                f"{image.name} is not built; run: repliquant images build {image.name}"
            )
        failed += not _verified(image)
    return 3 if failed else 0


def _verified(image: Any) -> bool:
    """Run an image's checks; what it says besides them is shown only when they fail."""
    import subprocess

    from orchestrator.engines import venvs
    from tui.words import printable

    command = [venvs.interpreter(image), image.verify]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    click.echo(f"{image.name}:\n{printable(done.stdout, lines=True).strip()}")
    if done.returncode:
        click.echo(printable(done.stderr[-2000:], lines=True).strip(), err=True)
    return done.returncode == 0


def _images(names: tuple[str, ...]) -> list[Any]:
    from orchestrator.images import image_names, load_image

    return [load_image(name) for name in names or image_names()]
