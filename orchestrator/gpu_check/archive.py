"""The results of a check as one file to carry away: everything but weights."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import NamedTuple

LIMIT_BYTES = 64 * 10**6
_TEXTS = frozenset([".json", ".jsonl", ".txt", ".md"])


class Packed(NamedTuple):
    """The archive, its size, and what was too large for it."""

    path: Path
    size_bytes: int
    left_out: list[str]


def pack(run: Path, limit_bytes: int = LIMIT_BYTES) -> Packed:
    """``<run>.tar.gz`` beside the run's folder. Raises OSError.

    Texts hardly ever come near the limit; if they do, the largest stay behind.
    """
    path = run.with_name(f"{run.name}.tar.gz")
    kept, left_out = _chosen(run, limit_bytes)
    temporary = path.with_name(f".{path.name}.partial")
    try:
        with tarfile.open(temporary, "w:gz", compresslevel=6) as archive:
            for file in kept:
                archive.add(file, f"{run.name}/{file.relative_to(run)}", recursive=False)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return Packed(path, path.stat().st_size, left_out)


def _chosen(run: Path, limit_bytes: int) -> tuple[list[Path], list[str]]:
    """Texts whose sizes before compression stay within the limit, and the names of others."""
    files = [
        file
        for file in sorted(run.rglob("*"))
        if file.suffix in _TEXTS and file.is_file() and not file.is_symlink()
    ]
    total = sum(file.stat().st_size for file in files)
    left_out: set[Path] = set()
    for file in sorted(files, key=lambda file: file.stat().st_size, reverse=True):
        if total <= limit_bytes:
            break
        left_out.add(file)
        total -= file.stat().st_size
    kept = [file for file in files if file not in left_out]
    return kept, [str(file.relative_to(run)) for file in sorted(left_out)]
