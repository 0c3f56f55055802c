"""Locking: a .in file resolved to one version each, with the hashes of every file of it.

python -m orchestrator.environments.lockfiles [--keep-versions]        the host's own locks
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from manifests.errors import MachineError, RepliquantError
from manifests.files import write_atomically
from manifests.paths import ROOT
from orchestrator.environments.images import Image
from orchestrator.environments.pins import Pin, read_pins
from orchestrator.environments.pip_settings import environment
from orchestrator.environments.pythons import find_interpreter
from orchestrator.environments.venvs import pip_for

_HEAD = "# Locked by 'just lock'; edit {source} instead.\n"
_LOCAL = re.compile(r"(?<=[0-9])\+[A-Za-z0-9.]+")
_HASHES = Path(__file__).with_name("release_hashes.py")
_LAST_LINES = 15
_HOST = ("requirements-just", "requirements", "requirements-dev")
_HOST_PYTHONS = ["3.11", "3.12", "3.13"]


class _Wanted(NamedTuple):
    """What is locked: a name for messages, the lock, its Pythons, packages to leave out.

    ``plain`` resolves with the index alone, without folders and further indexes.
    """

    name: str
    lock: Path
    versions: list[str]
    without: Sequence[str] = ()
    plain: bool = False


def lock_image(image: Image, keep_versions: bool = False) -> bool:
    """Write the image's locks anew; whether one changed. Raises MachineError and keeps the old.

    ``keep_versions`` looks for hashes only.
    """
    versions = image.file.python or [image.container_python]
    without = image.file.lock_without
    wanted = [_Wanted(image.name, image.lock, versions, without)]
    if image.container_lock != image.lock:
        own = [image.container_python]
        wanted.append(_Wanted(image.name, image.container_lock, own, without))
    changed = [_lock(each, keep_versions) for each in wanted]
    if image.more_lock is not None:
        known = [pin.name for pin in read_pins(image.lock)]
        more = _Wanted(image.name, image.more_lock, versions, [*without, *known], plain=True)
        changed.append(_lock(more, keep_versions))
    return any(changed)


def lock_host(keep_versions: bool = False) -> bool:
    """The same for the host side."""
    wanted = [_Wanted("the host side", ROOT / f"{name}.txt", _HOST_PYTHONS) for name in _HOST]
    changed = [_lock(each, keep_versions) for each in wanted]
    return any(changed)


def _lock(wanted: _Wanted, keep_versions: bool) -> bool:
    """Resolve the lock's .in file with an interpreter of one of the versions."""
    lock = wanted.lock
    with _resolver(wanted) as run:
        kept = keep_versions and lock.exists()
        text = lock.read_text(encoding="utf-8") if kept else _resolve(wanted, run)
        pins = _pins(text, wanted.without)
        hashes = _hashes(run([str(_HASHES)], "".join(f"{pin.title}\n" for pin in pins)))
    head = _HEAD.format(source=lock.with_suffix(".in").name)
    text = head + "".join(_with_hashes(pin, hashes.get(pin.title, [])) for pin in pins)
    if lock.exists() and lock.read_text(encoding="utf-8") == text:
        return False
    write_atomically(lock, text.encode())
    return True


class _Run(NamedTuple):
    """Runs the resolver's Python on arguments and gives what it prints."""

    wanted: _Wanted
    python: Path

    def __call__(self, arguments: Sequence[str], given: str = "") -> str:
        return _run(self.wanted, [str(self.python), *arguments], given)


@contextmanager
def _resolver(wanted: _Wanted) -> Iterator[_Run]:
    """A Python of the right version with pip-tools, in a temporary environment."""
    base = find_interpreter(wanted.versions)
    with tempfile.TemporaryDirectory() as name:
        python = Path(name) / "bin" / "python"
        without, pip = pip_for(wanted.versions, python)
        _run(wanted, [str(base), "-m", "venv", *without, name])
        _run(wanted, [*pip, "install", "--quiet", "pip-tools"])
        yield _Run(wanted, python)


def _resolve(wanted: _Wanted, run: _Run) -> str:
    resolved = run.python.with_name("resolved.txt")
    run([
        "-m", "piptools", "compile", "--quiet", "--upgrade", "--no-header",
        "--no-annotate", "--strip-extras", "--allow-unsafe", "--no-emit-index-url",
        "--no-emit-find-links", "--no-emit-trusted-host", "--no-emit-options",
        "--output-file", str(resolved), str(wanted.lock.with_suffix(".in")),
    ])  # fmt: skip
    return resolved.read_text(encoding="utf-8")


def _pins(resolved: str, without: Sequence[str]) -> list[Pin]:
    """The pins without a wheel's local version: the index decides which build it offers."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "resolved.txt"
        file.write_text(_LOCAL.sub("", resolved), encoding="utf-8")
        return [pin for pin in read_pins(file) if pin.name not in without]


def _hashes(printed: str) -> dict[str, list[str]]:
    """The hashes of each pin, from the lines that release_hashes prints."""
    words = [line.split() for line in printed.splitlines() if "==" in line]
    return {pin: found for pin, *found in words}


def _with_hashes(pin: Pin, hashes: list[str]) -> str:
    if not hashes:
        raise MachineError(f"no index has a file of {pin.title}; see PIP_INDEX_URL")
    return " \\\n".join([pin.unhashed, *(f"    --hash=sha256:{each}" for each in hashes)]) + "\n"


def _run(wanted: _Wanted, command: list[str], given: str = "") -> str:
    variables = environment()
    if wanted.plain:
        variables = {k: v for k, v in variables.items() if k not in _BESIDE_THE_INDEX}
    done = subprocess.run(
        command, capture_output=True, text=True, errors="replace", input=given,
        env=variables, check=False,
    )  # fmt: skip
    if done.returncode:
        last = "\n  ".join((done.stdout + done.stderr).strip().splitlines()[-_LAST_LINES:])
        raise MachineError(
            f"{wanted.name} could not be locked: {' '.join(command[1:3])} ended with status "
            f"{done.returncode}. Its last lines:\n  {last}\n"
            f"Fix the cause and run again: repliquant images lock {wanted.name}"
        )
    return done.stdout


_BESIDE_THE_INDEX = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL")

if __name__ == "__main__":
    try:
        sys.stdout.write("changed\n" if lock_host("--keep-versions" in sys.argv) else "as it was\n")
    except RepliquantError as error:
        sys.exit(f"lock: {error}")
