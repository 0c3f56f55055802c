"""``repliquant gpu-check``: the CUDA paths of this machine, in a few minutes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tui.commands.options import NumberRange, as_json

_COLUMNS = (
    "framework", "task", "technique", "model", "batch", "status", "ms", "speedup", "allocator",
    "nvml", "energy", "covered", "reason", "flags", "cell",
)  # fmt: skip
_RIGHT = ("batch", "ms", "speedup", "allocator", "nvml", "energy", "covered")
_MISSING = "–"


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
    type=click.Choice(["gpu", "cpu"]),
    default="gpu",
    show_default=True,
    help="cpu: the processor's twin of the check, to try the command.",
)
@click.option(
    "--framework",
    type=click.Choice(["pytorch", "tensorflow"]),
    help="This one only, with all of its paths; two that share the time leave some out.",
)
@click.option("--run", "run_dir", type=click.Path(path_type=Path), help="Folder of the run.")
@click.option(
    "--minutes",
    type=NumberRange(min=0.0, min_open=True),
    default=8.0,
    show_default=True,
    help="Start no further cell this long after the first; the same command goes on.",
)
@as_json
def command(as_json: bool, minutes: float, **choices: Any) -> int:
    """Run the paths of PyTorch and TensorFlow that this machine's GPU can take.

    Training in float32 and mixed precision up to a batch that runs out of memory, and the ladder
    of inference, in each framework that is there. Leaves manifests and a summary. Exit status 1
    when a cell crashed, ran out of time or could not be started, 3 without CUDA or its packages
    or where nothing could run; out of memory and unsupported are results here.
    """
    from orchestrator.gpu_check import Check, check
    from tui.console import err
    from tui.progress import Progress

    with Progress(err()) as progress:
        checked = check(Check(limit_s=minutes * 60, **choices), progress)
    _report(checked, as_json)
    return checked.exit_status()


def _report(checked: Any, as_json: bool) -> None:
    import msgspec

    from manifests.files import write_atomically
    from orchestrator.holding import disk_error
    from tables.checks import check_lines
    from tui.console import err, out, print_json, table

    lines = check_lines(checked.manifests)
    rows = [_row(line) for line in lines]
    value = {
        "run": str(checked.run.folder),
        "cells": [line._asdict() for line in lines],
        "unstarted": [planned.id for planned in checked.unstarted],
    }
    closing = _closing(checked, lines)
    folder = checked.run.folder
    try:
        write_atomically(folder / "summary.json", msgspec.json.encode(value) + b"\n")
        write_atomically(folder / "summary.md", _markdown(rows, closing).encode())
    except OSError as error:
        raise disk_error(folder, error) from error
    if as_json:
        print_json(value)
        return
    out().print(table(_title(checked), _COLUMNS, rows, _RIGHT))
    for line in closing:
        out().print(line, markup=False)
    err().print(f"Summary and manifests: {folder}", markup=False)


def _title(checked: Any) -> str:
    return f"gpu-check · {', '.join(_machines(checked)) or 'no cell was run'}"


def _machines(checked: Any) -> list[str]:
    """GPU or processor, and the framework, as the manifests have them."""
    from tables.checks import framework_version

    found = []
    for manifest in checked.manifests:
        machine = manifest.environment.machine
        if machine is None:
            continue
        on_gpu = manifest.cell.device == "gpu" and machine.gpus
        place = machine.gpus[0].name if on_gpu else machine.cpu
        found.append(f"{place}, {framework_version(manifest)}")
    return list(dict.fromkeys(found))


def _row(line: Any) -> list[str]:
    from tui.words import size

    return [
        line.framework,
        line.task,
        line.technique,
        line.model,
        str(line.batch_size),
        line.status,
        _text(line.seconds, lambda s: f"{s * 1e3:.3f}"),
        _text(line.speedup, lambda ratio: f"{ratio:.2f}"),
        _text(line.allocator_bytes, size),
        _text(line.nvml_bytes, size),
        _text(line.energy_j, lambda joules: f"{joules:.0f} J"),
        _text(line.coverage, lambda share: f"{share:.0%}"),
        line.reason,
        ", ".join(line.flags),
        line.cell,
    ]


def _text(value: float | None, render: Any) -> str:
    return _MISSING if value is None else str(render(value))


def _closing(checked: Any, lines: Any) -> list[str]:
    """What the table shows across its rows."""
    from tables.checks import largest_batches
    from tui.words import count

    told = [
        f"{what}: batch {fitted} fits, {failed} runs out of memory"
        for what, (fitted, failed) in largest_batches(lines).items()
        if failed is not None
    ]
    frameworks = {line.framework for line in lines}
    if "tensorflow" in frameworks:
        told.append(
            "speedup in TensorFlow's inference is against keras-predict, and so the way of "
            "calling is a part of it"
        )
    if len(frameworks) > 1 and any(m.cell.device == "gpu" for m in checked.manifests):
        told.append(
            "two frameworks share the time; --framework pytorch and --framework tensorflow run "
            "what each leaves out"
        )
    if checked.unstarted:
        told.append(
            f"{count(len(checked.unstarted), 'cell')} not started for want of time; the same "
            "command goes on from here"
        )
    return told


def _markdown(rows: list[list[str]], closing: list[str]) -> str:
    rule = ["---:" if name in _RIGHT else "---" for name in _COLUMNS]
    lines = [
        "| " + " | ".join(field.replace("|", "\\|") for field in row) + " |"
        for row in [list(_COLUMNS), rule, *rows]
    ]
    return "\n".join([*lines, "", *closing, ""])
