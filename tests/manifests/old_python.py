"""Finding the oldest Python that the ground floor has to run on."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@functools.lru_cache
def python_3_8(*modules: str) -> str:
    """An interpreter that has ``modules``; skips the test when there is none."""
    question = f"import {', '.join(('sys', *modules))}; sys.exit(sys.version_info[:2] != (3, 8))"
    for python in _candidates():
        if subprocess.run([python, "-c", question], capture_output=True).returncode == 0:
            return python
    having = f" with {' and '.join(modules)}" if modules else ""
    pytest.skip(f"no Python 3.8{having} on the PATH or under ~/.pyenv")


def _candidates() -> Iterator[str]:
    on_path = shutil.which("python3.8")
    if on_path:
        yield on_path
    yield from map(str, sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python")))
