"""The processes that the tests themselves are, and a cell that nobody can look at."""

from __future__ import annotations

import psutil

from machine.cell_readers import CellReadings
from manifests.telemetry_series import CellSample


def own_processes() -> int:
    """This process and those below it: another test may have left a browser to the next one."""
    return 1 + len(psutil.Process().children(recursive=True))


class Unreadable:
    """A reader that has nothing but a reason, as one that knows no processes has."""

    source = ""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def read(self) -> CellReadings:
        return CellReadings(CellSample(), {"": self._reason})

    def pids(self) -> frozenset[int] | None:
        return None
