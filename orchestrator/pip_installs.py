"""From locks to calls of ``pip install``: hashes are required of every package not exempted."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from orchestrator.pins import Pin, allowed_unhashed, read_pins

HASHED, UNHASHED = "hashed.txt", "unhashed.txt"


@contextlib.contextmanager
def installs(locks: Sequence[Path], folder: Path) -> Iterator[list[list[str]]]:
    """Arguments of one or two ``pip install``, with their files in a temporary folder."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        hashed, unhashed = write_parts(locks, Path(name))
        steps = [["--no-deps", "--require-hashes", "--requirement", str(hashed)]]
        if unhashed is not None:
            steps.append(["--no-deps", "--requirement", str(unhashed)])
        yield steps


def write_parts(locks: Sequence[Path], folder: Path) -> tuple[Path, Path | None]:
    """The pins whose content is checked, and those for which it isn't, as two files.

    pip checks hashes of all packages of a call or of none.
    """
    pins = [pin for lock in locks for pin in read_pins(lock)]
    exempt = set(allowed_unhashed(pins))
    hashed = _write(folder / HASHED, [pin.text for pin in pins if pin.title not in exempt])
    free: list[Pin] = [pin for pin in pins if pin.title in exempt]
    if not free:
        return hashed, None
    return hashed, _write(folder / UNHASHED, [pin.unhashed for pin in free])


def _write(file: Path, lines: list[str]) -> Path:
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file
