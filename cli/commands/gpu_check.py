"""``repliquant gpu-check``: the CUDA paths of this machine, in a few minutes."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

import click

from cli.commands.options import as_json
from services.parameters import ChoiceWithHint, NumberRange

if TYPE_CHECKING:
    from cli.check_page import Page
    from manifests.cell import Device


class CheckChoices(TypedDict):
    """What is checked and where, by the names of the options."""

    engine: str
    python: Path | None
    device: Device
    framework: str | None
    run_dir: Path | None
    resume: bool


def _checked(name: str | None) -> str | None:
    """Raises BadParameter for a framework that the check has no parts for."""
    if name is None:
        return None
    from manifests.suggest import nearest
    from orchestrator.gpu_check.plan import checked_frameworks

    accepted = checked_frameworks()
    if name not in accepted:
        raise click.BadParameter(
            f"no framework {name!r}.{nearest(name, accepted)} Accepted: {', '.join(accepted)}"
        )
    return name


@click.command("gpu-check")
@click.option(
    "--engine",
    default="auto",
    show_default=True,
    help="Where: auto (--python here, the images for GPUs in containers), local, docker.",
)
@click.option(
    "--python",
    type=click.Path(path_type=Path),
    help="Run cells with this interpreter in place of the images.",
)
@click.option(
    "--device",
    type=ChoiceWithHint("device", ("gpu", "cpu")),
    default="gpu",
    show_default=True,
    help="cpu: the processor's twin of the check, to try the command.",
)
@click.option(
    "--framework",
    callback=lambda context, parameter, name: _checked(name),
    help="This one only, with all of its paths; two that share the time leave some out.",
)
@click.option("--run", "run_dir", type=click.Path(path_type=Path), help="Folder of the run.")
@click.option(
    "--minutes",
    type=NumberRange(min=0.0, min_open=True),
    default=8.0,
    show_default=True,
    help="For everything, packing included; the same command goes on.",
)
@click.option("--resume", is_flag=True, help="Go on; an error where nothing was begun.")
@click.option(
    "--pack",
    type=click.Path(path_type=Path, file_okay=False),
    help="Run nothing: write a folder for a machine that has only Python and a framework.",
)
@click.option(
    "--python-version",
    "python_versions",
    multiple=True,
    help="With --pack: for this Python; may be repeated. By default 3.11 to 3.14.",
)
@as_json
def command(
    as_json: bool,
    minutes: float,
    pack: Path | None,
    python_versions: tuple[str, ...],
    **choices: Unpack[CheckChoices],
) -> int:
    """Run the paths of the frameworks that this machine's GPU can take.

    Versions and raw kernel names first, then what everything rests on, the ladders of training
    and inference, a batch that runs out of memory. Leaves manifests, a page that says line by
    line what is as expected, and an archive of both. Exit status 1 when something is not as
    expected or a cell crashed, ran out of time or could not be started, 3 without CUDA or its
    packages or where nothing could run; out of memory and unsupported are results here.
    """
    if pack is not None:
        return _pack(pack, python_versions, as_json)
    if python_versions:
        raise click.UsageError("--python-version goes with --pack")
    from cli.check_page import page_of
    from cli.console import err
    from orchestrator.gpu_check.check import Check, check
    from services.progress import Progress

    asked = Check(limit_s=minutes * 60, started=time.monotonic(), **choices)
    with Progress(err()) as progress:
        checked = check(asked, progress)
    page = page_of(checked)
    _report(page, checked.run.folder, as_json)
    return checked.exit_status(page.as_expected)


def _report(page: Page, folder: Path, as_json: bool) -> None:
    from cli.check_page import COLUMNS, RIGHT, keep, packed_lines
    from cli.console import err, out, print_json
    from services.tables import table

    packed = keep(page, folder)
    if as_json:
        print_json(page.value)
        return
    out().print(table(page.title, COLUMNS, page.rows, RIGHT))
    for line in [*page.told(), *page.closing]:
        out().print(line, markup=False)
    for line in [f"Summary and manifests: {folder}", *packed_lines(packed)]:
        err().print(line, markup=False)


def _pack(folder: Path, versions: tuple[str, ...], as_json: bool) -> int:
    from cli.console import out, print_json
    from orchestrator.gpu_check.carry import PYTHONS, carry
    from services.phrases import size

    carried = carry(folder, versions or PYTHONS)
    if as_json:
        print_json({"folder": str(carried.folder), "size_bytes": carried.size_bytes,
                    "python_versions": list(carried.versions)})  # fmt: skip
        return 0
    for line in (
        f"{carried.folder}: {size(carried.size_bytes)}, for Python {', '.join(carried.versions)}",
        f"On the GPU's machine: python3 {carried.folder.name}/gpu_check.py --minutes 8 --out DIR",
    ):
        out().print(line, markup=False)
    return 0
