"""A folder with all that gpu-check needs beside a Python that has a framework and numpy.

For a machine without this project, without its dependencies and without a network: our own
packages, msgspec for several versions of Python side by side, NVML's binding, and the digits.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from manifests.errors import InputError, MachineError
from manifests.paths import ROOT
from manifests.runner_files import framework
from orchestrator.datasets.sets import digits
from orchestrator.environments.pins import Pin, allowed_unhashed, read_pins
from orchestrator.environments.pip_settings import environment, explained, pip_for
from orchestrator.gpu_check.plan import checked_frameworks
from orchestrator.version import code_version

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
LIMIT_BYTES = 64 * 10**6
ENTRY = "gpu_check.py"
COMMIT = "commit.txt"
_OURS = ("manifests", "machine", "runners", "papers", "orchestrator", "comparisons")
_FACE = (
    "cli/__init__.py", "cli/check_bare.py", "cli/check_page.py",
    "services/__init__.py", "services/phrases.py",
)  # fmt: skip
_PACKAGES = ("msgspec", "nvidia-ml-py")
_OLDEST = (3, 11)


class Carried(NamedTuple):
    """The folder, its size, and the versions of Python that it serves."""

    folder: Path
    size_bytes: int
    versions: Sequence[str]


def carry(folder: Path, versions: Sequence[str]) -> Carried:
    """Write ``folder``, anew where it was written by this. Raises InputError or MachineError."""
    _refuse_versions(versions)
    _refuse_folder(folder)
    pins = _pins()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".gpu-check-"))
        try:
            _fill(temporary, pins, versions)
            size_bytes = _size_bytes(temporary)
            os.chmod(temporary, 0o755)
            shutil.rmtree(folder, ignore_errors=True)
            temporary.rename(folder)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise MachineError(f"{folder} can't be written: {error.strerror or error}") from error
    return Carried(folder, size_bytes, versions)


def _refuse_versions(versions: Sequence[str]) -> None:
    for version in versions:
        numbers = version.split(".")
        known = len(numbers) == 2 and all(number.isdecimal() for number in numbers)
        if not known or tuple(map(int, numbers)) < _OLDEST:
            raise InputError(
                f"--python-version {version!r}: give two numbers from 3.11 on, e.g. "
                f"{', '.join(PYTHONS)}"
            )


def _refuse_folder(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / ENTRY).is_file():
        raise InputError(f"--pack: {folder} holds something else; choose another folder")


def _pins() -> list[Pin]:
    lock = ROOT / "requirements.txt"
    try:
        found = [pin for pin in read_pins(lock) if pin.name in _PACKAGES]
    except OSError as error:
        raise MachineError(f"--pack needs the checkout's lock: {error}") from error
    return found


def _fill(folder: Path, pins: list[Pin], versions: Sequence[str]) -> None:
    for name in _OURS:
        _copy(ROOT / name, folder / name)
    for name in (framework(each).cpu_image for each in checked_frameworks()):
        _copy(ROOT / "images" / name, folder / "images" / name)
    for name in _FACE:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    shutil.copyfile(ROOT / "cli" / "check_entry.py", folder / ENTRY)
    vendor = folder / "vendor"
    vendor.mkdir()
    shutil.copyfile(digits.file(), vendor / digits.DIGITS)
    (vendor / COMMIT).write_text(_commit(), encoding="utf-8")
    with tempfile.TemporaryDirectory(prefix="wheels-") as wheels:
        _download(Path(wheels), pins, versions)
        _unpack(sorted(Path(wheels).glob("*.whl")), vendor)


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "*.pyc"))


def _commit() -> str:
    found = code_version()
    return f"{found.commit or ''}{'+changes' if found.commit and found.dirty else ''}"


def _download(wheels: Path, pins: list[Pin], versions: Iterable[str]) -> None:
    """The locked wheels of every version, for this machine's kind of processor."""
    free = allowed_unhashed(pins)
    for name, chosen in (
        ("hashed", [pin.text for pin in pins if pin.title not in free]),
        ("unhashed", [pin.unhashed for pin in pins if pin.title in free]),
    ):
        if chosen:
            file = wheels / f"{name}.txt"
            file.write_text("\n".join(chosen) + "\n", encoding="utf-8")
            for version in versions:
                _pip(["--requirement", str(file), "--python-version", version,
                      "--dest", str(wheels)])  # fmt: skip


def _pip(arguments: Sequence[str]) -> None:
    done = subprocess.run(
        [*pip_for(Path(sys.executable)), "download", "--quiet", "--no-deps",
         "--only-binary", ":all:", *arguments],
        env=environment("download"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        lines = done.stdout.splitlines()
        last = "\n  ".join(lines[-8:])
        raise MachineError(
            f"pip could not fetch what is to be carried. Its last lines:\n  {last}\n"
            f"{explained(lines)}".rstrip()
        )


def _unpack(wheels: Iterable[Path], vendor: Path) -> None:
    """Side by side: what is compiled has the version of Python in its name."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(vendor)


def _size_bytes(folder: Path) -> int:
    total = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if total > LIMIT_BYTES:
        raise MachineError(
            f"what is to be carried is {total / 1e6:.0f} MB, more than {LIMIT_BYTES / 1e6:.0f}; "
            "name fewer versions with --python-version"
        )
    return total
