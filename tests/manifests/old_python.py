"""The oldest Python that the ground floor has to run on, with the last msgspec for it."""

from __future__ import annotations

import functools
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

NEEDED = ("msgspec==0.18.6", "numpy==1.24.4")


@functools.lru_cache
def python_3_8() -> str:
    """Python 3.8 with ``NEEDED`` in an environment made for it; skips without an interpreter."""
    folder = Path(tempfile.mkdtemp(prefix="python38-")) / "env"
    for python in _candidates():
        if subprocess.run([python, "-m", "venv", "--without-pip", folder]).returncode == 0:
            return _equipped(str(folder / "bin" / "python"))
    pytest.skip("no Python 3.8 on the PATH or under ~/.pyenv")


def _equipped(python: str) -> str:
    """The newest pip knows no 3.8 any more, so the packages are unpacked beside it."""
    site = subprocess.run(
        [python, "-c", "import site; print(site.getsitepackages()[0])"],
        capture_output=True, text=True, check=True,
    ).stdout.strip()  # fmt: skip
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
            "--python-version", "3.8", "--only-binary", ":all:", "--no-deps", "--target", site,
            *NEEDED,
        ],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        pytest.skip(f"Python 3.8 has no msgspec: {done.stderr.strip()[-200:]}")
    return python


def _candidates() -> Iterator[str]:
    on_path = shutil.which("python3.8")
    if on_path:
        yield on_path
    yield from map(str, sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python")))
