"""Writing a series within a limit: when it is reached, every other sample goes."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

import msgspec

from manifests.files import set_mode, sync_file
from manifests.telemetry_series import Opening, encode

MOST_BYTES = 8 * 2**20
_SAMPLE = b'{"line":"sample"'


class SeriesFile:
    """``telemetry.jsonl`` while it grows. Every method may raise OSError.

    A cell may do what it likes in its folder: the file is made anew, never opened by its name
    again, and replaced by renaming.
    """

    def __init__(self, path: Path, opening: Opening, most_bytes: int = MOST_BYTES) -> None:
        """Raises FileExistsError when there is one already."""
        self._path = path
        self._opening = opening
        self._most_bytes = most_bytes
        self._file = open(path, "x+b")  # closed by close()
        self._samples = 0
        self.kept_every = 1
        self._size = self._file.write(encode(opening))
        self._file.flush()

    def write(self, line: bytes, is_sample: bool) -> None:
        """A line with its newline; a sample is left out when it is not its turn."""
        if is_sample:
            self._samples += 1
            if (self._samples - 1) % self.kept_every:
                return
        self._size += self._file.write(line)
        self._file.flush()
        if self._size > self._most_bytes:
            self._thin()

    def close(self) -> None:
        """Make what was written durable; raises OSError when its name leads elsewhere."""
        with self._file:
            sync_file(self._file.fileno())
            self._sha256 = hashlib.sha256(self._read()).hexdigest()
            there = os.stat(self._path, follow_symlinks=False)
            if not os.path.samestat(there, os.fstat(self._file.fileno())):
                raise FileNotFoundError(f"somebody put something else in place of {self._path}")

    def sha256(self) -> str:
        """Of the file that was closed."""
        return self._sha256

    def _read(self) -> bytes:
        self._file.seek(0)
        return self._file.read()

    def _thin(self) -> None:
        """Keep the first, third, fifth ... sample, and everything that is no sample."""
        self.kept_every *= 2
        opening = msgspec.structs.replace(self._opening, kept_every=self.kept_every)
        kept, number = [encode(opening)], 0
        for line in self._read().splitlines(keepends=True)[1:]:
            if line.startswith(_SAMPLE):
                number += 1
                if number % 2 == 0:
                    continue
            kept.append(line)
        self._replace(b"".join(kept))

    def _replace(self, data: bytes) -> None:
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
        file = os.fdopen(handle, "w+b")
        try:
            file.write(data)
            file.flush()
            set_mode(file.fileno(), 0o644)
            os.replace(temporary, self._path)
        except BaseException:
            file.close()
            os.unlink(temporary)
            raise
        self._file.close()
        self._file, self._size = file, len(data)
