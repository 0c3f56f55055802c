"""What is sent to a build, and the key that says whether an image is still up to date."""

from __future__ import annotations

import io
import re
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO

from manifests.cell import canonical_json, sha256_hex
from manifests.errors import InputError
from manifests.paths import ROOT
from orchestrator.environments.images import Image

_CODE = ("machine", "manifests", "runners")
_SUFFIXES = (".py", ".toml")
IMAGE_LABEL = "repliquant.image"
_FROM = re.compile(r"^(FROM\s[^\n]*)$", re.MULTILINE | re.IGNORECASE)


def code_files() -> list[tuple[str, Path]]:
    """The code that an image bakes in, by its name in the context."""
    found = []
    for package in _CODE:
        for path in sorted((ROOT / package).rglob("*")):
            if path.suffix in _SUFFIXES and path.is_file():
                found.append((path.relative_to(ROOT).as_posix(), path))
    return found


def code_sha256() -> str:
    """One hash over the names and contents of that code."""
    return sha256_hex(
        canonical_json([[name, sha256_hex(path.read_bytes())] for name, path in code_files()])
    )


def image_key(image: Image) -> str:
    """Changes exactly when the lock, the Dockerfile or the runners' code changes."""
    try:
        dockerfile = sha256_hex(image.dockerfile.read_bytes())
    except OSError as error:
        raise InputError(
            f"{image.dockerfile} can't be read ({error.strerror}); the Docker engine needs it. "
            "Use --engine local, or write one"
        ) from error
    own = [image.container_lock_sha256, dockerfile, code_sha256()]
    return sha256_hex(canonical_json([*own, *image.container_unhashed]))


def build_context(image: Image, wheels: Path, spool: Path) -> AbstractContextManager[IO[bytes]]:
    """An archive of Dockerfile, image folder, code and wheels.

    It has the layout of the project's root, so that the Dockerfile builds there as well.
    """
    own = sorted(path for path in image.folder.rglob("*") if path.is_file())
    own = [path for path in own if "__pycache__" not in path.relative_to(image.folder).parts]
    top = f"images/{image.name}"
    files = [(f"{top}/{path.relative_to(image.folder).as_posix()}", path) for path in own]
    files += code_files()
    files += [(f"wheels/{path.name}", path) for path in sorted(wheels.iterdir())]
    return packed_context(files, spool, image.name)


def labelled(dockerfile: bytes, image: str) -> bytes:
    """The Dockerfile with our label in every stage, so that what a stage leaves can be told from
    everybody else's.
    """
    text = dockerfile.decode(errors="surrogateescape")
    text = _FROM.sub(rf"\1\nLABEL {IMAGE_LABEL}={image}", text)
    return text.encode(errors="surrogateescape")


@contextmanager
def packed_context(files: list[tuple[str, Path]], spool: Path, image: str) -> Iterator[IO[bytes]]:
    """An uncompressed archive of ``files`` by their names in the context."""
    with tempfile.TemporaryFile(dir=spool) as file:
        with tarfile.open(fileobj=file, mode="w") as archive:
            for name, path in files:
                if path.name == "Dockerfile":
                    _add_bytes(archive, name, labelled(path.read_bytes(), image))
                else:
                    _add(archive, name, path)
        file.seek(0)
        yield file


def _add(archive: tarfile.TarFile, name: str, path: Path) -> None:
    """Owner, mode and time are fixed: the daemon's cache must see the content alone."""
    entry = tarfile.TarInfo(name)
    entry.mode = 0o755 if path.suffix == ".sh" else 0o644
    entry.size = path.stat().st_size
    with open(path, "rb") as file:
        archive.addfile(entry, file)


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode, entry.size = 0o644, len(content)
    archive.addfile(entry, io.BytesIO(content))
