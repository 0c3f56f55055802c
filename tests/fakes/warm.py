"""The command line in a process of its own that has imported the libraries already.

Importing numpy, scipy, rich and the like is most of what a short command costs. One process
(of multiprocessing's fork server) imports them once and nothing of ours; each command is a
fork of it, with arguments, variables, working directory and standard streams of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

LIBRARIES = (
    "PIL.Image", "click", "docker", "jinja2", "msgspec", "numpy", "psutil", "pynvml", "requests",
    "rich.console", "rich.markdown", "rich.progress", "rich.table", "rocrate.rocrate",
    "scipy.stats", "vl_convert",
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[2]
# What an interpreter reads once, when it starts.
_AT_THE_START = ("PYTHON", "LC_", "LANG", "LD_")

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.fakes.preload"])


def serves(environment: Mapping[str, str]) -> bool:
    """False where a variable that counts when an interpreter starts isn't this process's."""
    names = {name for name in {*environment, *os.environ} if name.startswith(_AT_THE_START)}
    here = {**os.environ, "PYTHONPATH": str(ROOT)}  # which is on the path here
    return all(environment.get(name) == here.get(name) for name in names)


def run_module(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    timeout: float,
) -> subprocess.CompletedProcess[str]:
    """``python -m module arguments``. Raises TimeoutExpired after so many seconds."""
    command = [module, *arguments]
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        streams = [_context.reducer.DupFd(file.fileno()) for file in (out, err)]
        process = _context.Process(
            target=_run, args=(command, str(folder), dict(environment), streams)
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, timeout)
        return subprocess.CompletedProcess(
            command, process.exitcode, *(_text(file) for file in (out, err))
        )


def _text(file) -> str:  # type: ignore[no-untyped-def]
    file.seek(0)
    return str(file.read().decode(errors="replace"))


def _run(command: list[str], folder: str, environment: dict[str, str], streams: list) -> None:  # type: ignore[type-arg]
    for target, stream in zip((1, 2), streams, strict=True):
        os.dup2(stream.detach(), target)
    was = sys.__stdout__, sys.__stderr__
    sys.stdout, sys.stderr = (
        open(number, "w", closefd=False, errors=stream.errors if stream else None)  # noqa: SIM115
        for number, stream in zip((1, 2), was, strict=True)
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
