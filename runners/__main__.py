"""``python -m runners CELL FOLDER``: run one cell and leave its manifest in the folder.

Events go to standard output, one JSON object a line; everything a framework prints goes to
FOLDER/log.txt. Under a launcher (``runners.launcher``) what it leaves is the cell's own part of the
manifest, which the launcher seals.

Exit status: 0 ok, 1 the cell failed (its manifest says how), 2 the arguments
or the cell can't be used, 3 the folder can't be written to or has a manifest already.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Any, Optional

from manifests.cell import Cell
from manifests.codec import UnreadableError, read_struct
from manifests.manifest import Context
from runners import generated_modules, lifeline
from runners.data import Data
from runners.events import Emitter
from runners.execute import execute
from runners.job import Job
from runners.machine import usable_cpus
from runners.starting_weights import PretrainedFile, Weights


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.parent:
        lifeline.die_with(arguments.parent)
    try:
        cell, data, context = _read_inputs(arguments)
    except (UnreadableError, OSError) as error:
        return _refuse(error, 2)
    try:
        emitter = _open_folder(arguments.folder)
    except OSError as error:
        return _refuse(error, 3)
    weights = Weights(arguments.weights) if arguments.weights else None
    threads = arguments.threads or usable_cpus()
    pretrained = PretrainedFile(arguments.pretrained) if arguments.pretrained else None
    job = Job(cell, arguments.folder, data, weights, threads, emitter, pretrained)
    lifeline.heed(arguments.folder)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        manifest = execute(job, weights, context, lifeline.deafen, arguments.result)
    except OSError as error:
        job.events.done("crashed", f"the manifest can't be written: {error}")
        return 3
    return 0 if manifest.status == "ok" else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m runners", description=__doc__)
    parser.add_argument("cell", type=Path, help="JSON file of the cell")
    parser.add_argument("folder", type=Path, help="where manifest, log and artifacts go")
    parser.add_argument("--data", type=Path, help="folder of the prepared data set")
    parser.add_argument("--weights", type=Path, help="folder of the cell to start from")
    parser.add_argument("--pretrained", type=Path, help="folder of published weights")
    parser.add_argument("--context", type=Path, help="JSON file of what the orchestrator knows")
    parser.add_argument("--result", default="manifest.json", help="its file in the folder")
    parser.add_argument("--threads", type=int, default=0, help="0: every usable processor")
    parser.add_argument("--parent", type=int, help="process id; end when that process ends")
    return parser


def _refuse(error: Exception, status: int) -> int:
    print(f"runners: {error}", file=sys.stderr)
    return status


def _read_inputs(arguments: Any) -> tuple[Cell, Optional[Data], Optional[Context]]:
    cell = read_struct(arguments.cell, Cell)
    data = Data(arguments.data) if arguments.data else None
    context = read_struct(arguments.context, Context) if arguments.context else None
    return cell, data, context


def _open_folder(folder: Path) -> Emitter:
    """Raises OSError, also when the cell has its manifest already."""
    folder.mkdir(parents=True, exist_ok=True)
    manifest = folder / "manifest.json"
    if manifest.exists():
        raise FileExistsError(f"{manifest} exists; manifests are never overwritten")
    return Emitter(_redirect_output(folder / "log.txt"))


def _redirect_output(log: Path) -> int:
    """Send everything printed from now on to ``log``; returns a descriptor of the old stdout.

    Works on the descriptors, so that native code inside frameworks is caught as well.
    """
    events = os.dup(1)
    os.set_inheritable(events, False)
    descriptor = os.open(str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    sys.stdout.flush()
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)
    os.close(descriptor)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return events


def leave(status: int) -> None:
    """End at once: taking a framework apart takes up to a second, and nothing waits for it.

    What native code has printed is still in the C library's buffers.
    """
    generated_modules.remove()
    sys.stdout.flush()
    sys.stderr.flush()
    ctypes.CDLL(None).fflush(None)
    os._exit(status)


if __name__ == "__main__":
    leave(main())
