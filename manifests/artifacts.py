"""Whether the files that a cell left are still those that its manifest speaks of."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import List, NamedTuple, Optional

from manifests.manifest import Artifact, Manifest

_CHUNK = 2**20


class Fault(NamedTuple):
    """What is wrong with a file, in words that begin with its name; whether it is not there."""

    text: str
    missing: bool = False


def file_sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(_CHUNK), b""):
            digest.update(block)
    return digest.hexdigest()


def fault(folder: Path, artifact: Artifact) -> Optional[Fault]:
    """What is wrong with an artifact of the cell in ``folder``; None when it is as recorded."""
    return _fault(folder, artifact.path, artifact.sha256, artifact.size_bytes)


def faults(folder: Path, manifest: Manifest) -> List[Fault]:
    """What is wrong with the artifacts of the cell in ``folder``, and with its telemetry, if that
    is there.
    """
    found = [fault(folder, artifact) for artifact in manifest.artifacts]
    telemetry = manifest.telemetry
    if telemetry is not None and telemetry.path and telemetry.sha256 is not None:
        wrong = _fault(folder, telemetry.path, telemetry.sha256, None)
        found.append(wrong if wrong is None or not wrong.missing else None)
    return [item for item in found if item is not None]


def _fault(folder: Path, name: str, sha256: str, size_bytes: Optional[int]) -> Optional[Fault]:
    path = folder / name
    try:
        found = os.stat(str(path))
        if not stat.S_ISREG(found.st_mode):
            return Fault(f"{name} is not a file")
        if size_bytes is not None and found.st_size != size_bytes:
            return Fault(f"{name} has {found.st_size:,} bytes; its manifest says {size_bytes:,}")
        if file_sha256(path) != sha256:
            return Fault(f"{name} was changed: its SHA-256 is not the one in its manifest")
    except FileNotFoundError:
        return Fault(f"{name} is missing", missing=True)
    except OSError as error:
        return Fault(f"{name} can't be read: {error.strerror}")
    return None
