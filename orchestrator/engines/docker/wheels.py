"""An image's packages, fetched on the host: builds then need no index, proxy or certificate."""

from __future__ import annotations

import collections
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from manifests import paths
from manifests.cell import canonical_json, sha256_hex
from manifests.errors import MachineError
from manifests.files import sync_folder
from orchestrator.engines.base import Tell
from orchestrator.environments.images import Image
from orchestrator.environments.pins import read_pins
from orchestrator.environments.pip_installs import (
    UNHASHED,
    Refusals,
    local_builds,
    requires_any,
    write_parts,
)
from orchestrator.environments.pip_settings import environment, explained, settings
from orchestrator.file_lock import waiting
from orchestrator.messages import LogLine

_NEWEST_GLIBC = 36
_LAST_LINES = 15


def fetch(image: Image, architecture: str, tell: Tell) -> Path:
    """The folder with every wheel of the lock, filled now unless it is. Raises MachineError."""
    python = image.container_python
    exempt = f"-{sha256_hex(canonical_json(image.container_unhashed))[:8]}"
    own = exempt if image.container_unhashed else ""
    name = f"{image.name}-{image.container_lock_sha256[:12]}{own}-{python}-{architecture}"
    folder = paths.cache() / "wheels" / name
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f"{name}.lock")
    with waiting(lock, lambda who: tell(LogLine(f"waiting for {who}", "detail"))) as held:
        if not folder.is_dir():
            _fill(folder, _command(python, architecture), held, image, tell)
    return folder


def _fill(folder: Path, command: list[str], lock: int, image: Image, tell: Tell) -> None:
    """What was begun and not finished is thrown away; the folder is there when all of it is."""
    temporary = folder.with_name(f".{folder.name}")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir()
    try:
        command = [*command, "--dest", str(temporary)]
        locks = image.container_locks[:1]
        _download_all(image, command, temporary, locks, lock, tell)
        for more in image.container_locks[1:]:
            if requires_any(_metadata(temporary), more):
                locks.append(more)
                _download_all(image, command, temporary, locks, lock, tell)
        sync_folder(temporary)
        os.rename(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _download_all(
    image: Image, command: list[str], folder: Path, locks: list[Path], lock: int, tell: Tell
) -> None:
    """Fetch the locks' packages, and leave beside them what the build installs by."""
    (folder / UNHASHED).unlink(missing_ok=True)
    links = settings("download").get("find-links", "")
    python, architecture = image.container_python, folder.name.rpartition("-")[2]
    chosen = local_builds(locks, links, python, architecture)
    hashed, unhashed = write_parts(locks, folder, chosen)
    _download(image, [*command, "--require-hashes", "--requirement", str(hashed)], lock, tell)
    if unhashed is not None:
        _download(image, [*command, "--requirement", str(unhashed)], lock, tell)


def _metadata(folder: Path) -> Iterator[str]:
    """The METADATA of every wheel of a folder."""
    for wheel in sorted(folder.glob("*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                if name.endswith(".dist-info/METADATA"):
                    yield archive.read(name).decode(errors="replace")


def _command(python: str, architecture: str) -> list[str]:
    return [
        sys.executable, "-I", "-m", "pip", "download",
        "--progress-bar", "off", "--no-deps", "--only-binary", ":all:",
        "--implementation", "cp", "--python-version", python, *_platforms(architecture),
    ]  # fmt: skip


def _download(image: Image, command: list[str], lock: int, tell: Tell) -> None:
    """Run pip, which holds the lock for as long as it lives. Raises MachineError."""
    last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)
    refusals = Refusals()
    total = len(read_pins(image.container_lock))
    done = 0
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
        text=True, errors="replace", env=environment("download"), pass_fds=(lock,),
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            for line in process.stdout:
                last.append(line.rstrip())
                refusals.read(line)
                done += line.startswith(("Collecting ", "Processing "))
                tell(LogLine(f"fetch: {line.strip()[:200]}", "detail", done, total))
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        lines = refusals.shown or list(last)
        shown = "\n  ".join([*lines, *filter(None, [explained(lines)])])
        raise MachineError(
            f"the packages of {image.name} could not be fetched: pip ended with status "
            f"{process.returncode}. Its last lines:\n  {shown}\n"
            f"Fix the cause and run again, or build it alone: repliquant images build {image.name}"
        )


def _platforms(architecture: str) -> list[str]:
    """Every wheel tag that a current glibc takes, the newest first (PEP 600), then plain ones."""
    tags = [f"manylinux_2_{minor}_{architecture}" for minor in range(_NEWEST_GLIBC, 4, -1)]
    tags += [f"manylinux2014_{architecture}", f"linux_{architecture}"]
    return [word for tag in tags for word in ("--platform", tag)]
