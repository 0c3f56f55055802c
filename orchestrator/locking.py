"""Locking an image: requirements.in resolved to one version each, for the image's own Python."""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path

from manifests.files import write_atomically
from orchestrator.engines.venvs import clean_environment, pip_for
from orchestrator.errors import MachineError
from orchestrator.images import Image
from orchestrator.interpreters import find_interpreter

_HEAD = "# Locked by 'just lock'; edit {source} instead.\n"
_LOCAL = re.compile(r"(?<=[0-9])\+[A-Za-z0-9.]+")
_LAST_LINES = 15


def lock_image(image: Image) -> bool:
    """Write the image's locks anew; whether one changed. Raises MachineError and keeps the old."""
    changed = _lock(image, image.lock, image.file.python or [image.container_python])
    if image.container_lock != image.lock:
        changed |= _lock(image, image.container_lock, [image.container_python])
    return changed


def _lock(image: Image, lock: Path, versions: list[str]) -> bool:
    """Resolve ``lock``'s .in file with an interpreter of one of ``versions``."""
    wanted = lock.with_suffix(".in")
    base = find_interpreter(versions)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        python = folder / "bin" / "python"
        without, pip = pip_for(versions, python)
        _run(image, [str(base), "-m", "venv", *without, name])
        _run(image, [*pip, "install", "--quiet", "--disable-pip-version-check", "pip-tools"])
        resolved = folder / "resolved.txt"
        _run(image, [
            str(python), "-m", "piptools", "compile", "--quiet", "--upgrade", "--no-header",
            "--no-annotate", "--strip-extras", "--allow-unsafe", "--no-emit-index-url",
            "--no-emit-find-links", "--no-emit-trusted-host", "--no-emit-options",
            "--output-file", str(resolved), str(wanted),
        ])  # fmt: skip
        head = _HEAD.format(source=wanted.name)
        text = head + "".join(_pins(resolved.read_text(), image))
    if lock.exists() and lock.read_text() == text:
        return False
    write_atomically(lock, text.encode())
    return True


def _pins(resolved: str, image: Image) -> list[str]:
    """The pins without a wheel's local version: the index decides which build it offers."""
    left_out = tuple(f"{name}==" for name in image.file.lock_without)
    lines = [line for line in resolved.splitlines() if line and not line.startswith(("#", "-"))]
    return [f"{_LOCAL.sub('', line)}\n" for line in lines if not line.startswith(left_out)]


def _run(image: Image, command: list[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL,
        env=clean_environment(), check=False,
    )  # fmt: skip
    if done.returncode:
        last = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:])
        raise MachineError(
            f"{image.name} could not be locked: {' '.join(command[1:3])} ended with status "
            f"{done.returncode}. Its last lines:\n  {last}\n"
            f"Mend the cause and run again: repliquant images lock {image.name}"
        )
