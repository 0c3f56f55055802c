"""Following a file that somebody else writes, however fast they write it."""

from __future__ import annotations

import os
from pathlib import Path

MOST_BYTES = 256 * 1024
_LONGEST_LINE = 64 * 1024


class FileTail:
    """Gives the lines that were added since it was last asked.

    At most ``MOST_BYTES`` a time: of more, the end, and a line that says how much was passed
    over. A file that isn't there, or not any more, has no lines.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._at = 0
        self._rest = b""

    def lines(self) -> list[str]:
        """New whole lines, decoded; bytes that are no UTF-8 become replacement characters."""
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return []
        try:
            return self._read(descriptor)
        except OSError:
            return []
        finally:
            os.close(descriptor)

    def _read(self, descriptor: int) -> list[str]:
        size = os.fstat(descriptor).st_size
        if size < self._at:
            self._at, self._rest = 0, b""
        passed = size - self._at - MOST_BYTES
        if passed > 0:
            self._at += passed
            self._rest = b""
        data = os.pread(descriptor, min(size - self._at, MOST_BYTES), self._at)
        self._at += len(data)
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            whole.append(self._rest)
            self._rest = b""
        lines = [line.decode(errors="replace") for line in whole]
        return [f"… {passed:,} bytes passed over …", *lines[1:]] if passed > 0 else lines
