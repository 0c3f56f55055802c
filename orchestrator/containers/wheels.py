"""An image's packages, fetched on the host: builds then need no index, proxy or certificate."""

from __future__ import annotations

import collections
import os
import shutil
import subprocess
import sys
from pathlib import Path

from manifests.files import sync_folder
from orchestrator import places
from orchestrator.engines import Tell
from orchestrator.engines.venvs import clean_environment
from orchestrator.errors import MachineError
from orchestrator.images import Image
from orchestrator.news import Note

_NEWEST_GLIBC = 36
_LAST_LINES = 15


def fetch(image: Image, architecture: str, tell: Tell) -> Path:
    """The folder with every wheel of the lock, filled now unless it is. Raises MachineError."""
    python = image.container_python
    name = f"{image.name}-{image.container_lock_sha256[:12]}-{python}-{architecture}"
    folder = places.cache() / "wheels" / name
    if folder.is_dir():
        return folder
    temporary = folder.with_name(f".{name}.{os.getpid()}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    try:
        _download(image, python, architecture, temporary, tell)
        sync_folder(temporary)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def _download(image: Image, python: str, architecture: str, folder: Path, tell: Tell) -> None:
    command = [
        sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input",
        "--progress-bar", "off", "--no-deps", "--only-binary", ":all:",
        "--implementation", "cp", "--python-version", python, *_platforms(architecture),
        "--dest", str(folder), "--requirement", str(image.container_lock),
    ]  # fmt: skip
    last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
    total = sum("==" in line for line in image.container_lock.read_text().splitlines())
    done = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        text=True, errors="replace", env=clean_environment(),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            done += line.startswith(("Collecting", "Looking in")) and "Collecting" in line
            tell(Note(f"fetch: {line.strip()[:200]}", "detail", done, total))
    if process.returncode:
        shown = "\n  ".join(last)
        raise MachineError(
            f"the packages of {image.name} could not be fetched: pip ended with status "
            f"{process.returncode}. Its last lines:\n  {shown}\n"
            f"Mend the cause and run again, or build it alone: repliquant images build {image.name}"
        )


def _platforms(architecture: str) -> list[str]:
    """Every wheel tag that a current glibc takes, the newest first (PEP 600), then plain ones."""
    tags = [f"manylinux_2_{minor}_{architecture}" for minor in range(_NEWEST_GLIBC, 4, -1)]
    tags += [f"manylinux2014_{architecture}", f"linux_{architecture}"]
    return [word for tag in tags for word in ("--platform", tag)]
