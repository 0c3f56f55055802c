"""Finding a Python interpreter of a given version, and what it is started with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from manifests import paths
from manifests.errors import MachineError

_USER_NAMES = ("LOGNAME", "USER", "LNAME", "USERNAME")


def clean_environment() -> dict[str, str]:
    """This process's variables, without those that would lead Python elsewhere.

    A user without a home folder or a name gets both: libraries that look for their caches would
    make a folder called "~", or fail because nobody has this number.
    """
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    if paths.home() is None:
        kept["HOME"] = str(paths.cache() / "home")
        if not any(kept.get(name) for name in _USER_NAMES):
            kept["USER"] = "repliquant"
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def find_interpreter(versions: list[str]) -> Path:
    """The first interpreter of one of ``versions``, e.g. ["3.11"].

    Raises MachineError that lists the places.
    """
    looked: list[str] = []
    for version in versions:
        for candidate in _candidates(version):
            if str(candidate) not in looked:
                looked.append(str(candidate))
            if _version_of(candidate) == version:
                return candidate
    raise MachineError(
        f"no Python {' or '.join(versions)} found (looked at {', '.join(looked)}). "
        f"Install one, for example python{versions[0]} with its venv package"
    )


def _candidates(version: str) -> Iterator[Path]:
    """This interpreter, those on the PATH, and pyenv's; its start scripts, slow to ask, last."""
    yield Path(sys.executable)
    root = _pyenv_root()
    scripts = []
    for name in (f"python{version}", "python3"):
        found = shutil.which(name)
        if found and root is not None and Path(found).parent == root / "shims":
            scripts.append(Path(found))
        elif found:
            yield Path(found)
    if root is not None:
        for folder in sorted(root.glob(f"versions/{version}.*"), reverse=True):
            yield folder / "bin" / "python"
    yield from scripts


def _pyenv_root() -> Path | None:
    home = paths.home()
    given = os.environ.get("PYENV_ROOT")
    return Path(given) if given else home / ".pyenv" if home else None


def _version_of(interpreter: Path) -> str:
    if interpreter == Path(sys.executable):
        return f"{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        done = subprocess.run(
            [interpreter, "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
            capture_output=True, text=True, errors="replace", timeout=20, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()
