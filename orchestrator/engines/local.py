"""The engine ``local``: cells are processes of this machine, of our Pythons or of a given one."""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from orchestrator.engines.base import Engine, Entry
from orchestrator.engines.local_processes import LocalCell, LocalEngine
from orchestrator.environments.images import Image

__all__ = ["ENGINE", "LocalCell", "LocalEngine"]


def _make() -> Engine:
    return LocalEngine()


def _with_python(python: Path) -> Engine:
    """One that was asked already keeps its answers: they take seconds."""
    found = shutil.which(str(python))
    return (
        _given(Path(os.path.abspath(found)), os.stat(found).st_mtime_ns)
        if found
        else _given(python)
    )


@functools.lru_cache(maxsize=4)
def _given(python: Path, changed_ns: int = 0) -> Engine:
    """Raises InputError when there is no such program."""
    from orchestrator.engines.interpreter import GivenEngine

    return GivenEngine(python)


def _shell(image: Image, command: Sequence[str]) -> int:
    from orchestrator.engines.local_shell import shell

    return shell(image, command)


ENGINE = Entry(_make, rank=100, with_python=_with_python, shell=_shell)
