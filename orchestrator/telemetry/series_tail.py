"""The newest sample of a cell, from the series that its own sampler writes."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from machine.cell_readers import CellReadings
from machine.recorder import FILE_NAME
from manifests.telemetry_series import CellSample, Sample, decode

_TAIL_BYTES = 64 * 1024
NOTHING_YET = "its sampler has written nothing yet"


class SeriesTail:
    """Reads a running cell by what stands at the end of its telemetry.jsonl.

    Where its folder is not on this machine, there is nothing to read until it has been collected.
    """

    source = ""

    def __init__(self, folder: Path, cell_id: str) -> None:
        self._path = folder / FILE_NAME
        self._cell_id = cell_id

    def pids(self) -> frozenset[int] | None:
        return None

    def read(self) -> CellReadings:
        for line in reversed(self._last_lines()):
            try:
                found = decode(line)
            except (msgspec.MsgspecError, UnicodeDecodeError):  # one that is being written
                continue
            if isinstance(found, Sample) and self._cell_id in found.cells:
                return CellReadings(found.cells[self._cell_id], {})
        return CellReadings(CellSample(), {"": NOTHING_YET})

    def _last_lines(self) -> list[bytes]:
        try:
            with open(self._path, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - _TAIL_BYTES))
                return file.read().splitlines()
        except OSError:
            return []
