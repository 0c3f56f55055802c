"""The events of a cell that runs on another machine, kept here until its own file arrives."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import IO

MOST_BYTES = 16 * 2**20


class FarEvents:
    """Where the cell's launcher writes ``events.jsonl`` into a folder of this machine, nothing.

    Others look at the folder of a running cell. A launcher makes its file before it says a word.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "events.jsonl"
        self._file: IO[bytes] | None = None
        self._heard = False
        self._left = MOST_BYTES

    def __enter__(self) -> FarEvents:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        if self._file is not None:
            self._file.close()

    def keep(self, line: bytes) -> None:
        """Raises OSError when the disk is full."""
        if not self._heard:
            self._heard = True
            if not self._path.exists():
                self._file = open(self._path, "wb", buffering=0)
        self._left -= len(line) + 1
        if self._file is not None and self._left >= 0:
            self._file.write(line + b"\n")
