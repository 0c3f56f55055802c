"""Finding a Python interpreter of a given version, and telling where was looked."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from orchestrator.errors import MachineError


def find_interpreter(versions: list[str]) -> Path:
    """The first interpreter of one of ``versions``, e.g. ["3.11"].

    Raises MachineError that lists the places.
    """
    looked: list[str] = []
    for version in versions:
        for candidate in _candidates(version):
            looked.append(str(candidate))
            if _version_of(candidate) == version:
                return candidate
    raise MachineError(
        f"no Python {' or '.join(versions)} found (looked at {', '.join(looked)}). "
        f"Install one, for example python{versions[0]} with its venv package"
    )


def _candidates(version: str) -> Iterator[Path]:
    """This interpreter, those on the PATH, and pyenv's."""
    yield Path(sys.executable)
    for name in (f"python{version}", "python3"):
        found = shutil.which(name)
        if found:
            yield Path(found)
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for folder in sorted(root.glob(f"versions/{version}.*"), reverse=True):
        yield folder / "bin" / "python"


def _version_of(interpreter: Path) -> str:
    if interpreter == Path(sys.executable):
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        done = subprocess.run(
            [interpreter, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True, text=True, timeout=20, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
