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
from orchestrator.interpreters import clean_environment
from orchestrator.errors import MachineError
from orchestrator.images import Image
from orchestrator.locks import waiting
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
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f"{name}.lock")
    with waiting(lock, lambda who: tell(Note(f"waiting for {who}", "detail"))) as held:
        if not folder.is_dir():
            _fill(folder, _command(image, python, architecture), held, image, tell)
    return folder


def _fill(folder: Path, command: list[str], lock: int, image: Image, tell: Tell) -> None:
    """What was begun and not finished is thrown away; the folder is there when all of it is."""
    temporary = folder.with_name(f".{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        _download(image, [*command, "--dest", str(temporary)], lock, tell)
        sync_folder(temporary)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _command(image: Image, python: str, architecture: str) -> list[str]:
    return [
        sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--no-input",
        "--progress-bar", "off", "--no-deps", "--only-binary", ":all:",
        "--implementation", "cp", "--python-version", python, *_platforms(architecture),
        "--requirement", str(image.container_lock),
    ]  # fmt: skip


def _download(image: Image, command: list[str], lock: int, tell: Tell) -> None:
    """Run pip, which holds the lock for as long as it lives. Raises MachineError."""
    last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
    total = sum("==" in line for line in image.container_lock.read_text().splitlines())
    done = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        text=True, errors="replace", env=clean_environment(), pass_fds=(lock,),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last.append(line.rstrip())
                done += line.startswith(("Collecting ", "Processing "))
                tell(Note(f"fetch: {line.strip()[:200]}", "detail", done, total))
        except BaseException:
            process.kill()
            raise
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
