"""``python -m runners.telemetry FOLDER PID``: sample the machine while the cell PID runs.

It runs beside the cell, never in it. The cell's events come on standard input; when that ends, the
series lies in FOLDER/telemetry.jsonl, and what it says of the cell (a ``machine.recorder.Record``)
goes to standard output. It sleeps between samples, and no signal that asks a cell to end ends it.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import FrozenSet, List, Union

import msgspec

from machine.cell_readers import CellReadings, ContainerGroup, ProcessTree
from machine.recorder import Record, Recorder
from machine.sampler import Sampler
from manifests import order
from manifests.codec import read_struct
from manifests.event_stream import EventStream
from manifests.order import CellOrder

STALLED_S = 2.0
"""Who sleeps so much longer than he wanted was stopped with everything around him."""


class NoticesStalls:
    """A reader of a cell that also says that all of it stood still since the last reading.

    A container that is frozen takes its sampler along, so that nobody inside sees it happen.
    """

    def __init__(self, reader: Union[ProcessTree, ContainerGroup]) -> None:
        self.source = reader.source
        self._reader = reader
        self.stalled = False

    def pids(self) -> FrozenSet[int]:
        return self._reader.pids()

    def read(self) -> CellReadings:
        """One sample, ``stopped`` when it stood still before it."""
        found, stalled, self.stalled = self._reader.read(), self.stalled, False
        if not stalled:
            return found
        return found._replace(sample=msgspec.structs.replace(found.sample, stopped=True))


def main(folder: Path, cell: int) -> int:
    """Until standard input ends."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    ordered = read_struct(folder / order.FILE_NAME, CellOrder)
    sampler = Sampler(interval_s=ordered.interval_s or order.INTERVAL_S)
    tree = ProcessTree(cell)
    reader = NoticesStalls(ContainerGroup(tree) if ordered.context.container else tree)
    recorder = Recorder(
        sampler, folder, ordered.cell.id, _gpus(ordered, sampler), idle=ordered.context.idle
    )
    recorder.begin(reader)
    _sample(sampler, recorder, reader)
    _answer(recorder.finish())
    return 0


def _gpus(ordered: CellOrder, sampler: Sampler) -> List[str]:
    """Inside a container there are no others than the cell's, and they are numbered anew."""
    if ordered.gpus and ordered.context.container is not None:
        return [str(number) for number in sampler.opening.gpus] or ordered.gpus
    return ordered.gpus


def _sample(sampler: Sampler, recorder: Recorder, reader: NoticesStalls) -> None:
    """A sample each interval; what was slept through is past."""
    stream, due = EventStream(), time.monotonic() + sampler.interval_s
    while True:
        begin = time.monotonic()
        wanted_s = max(0.0, due - begin)
        readable, _, _ = select.select([0], [], [], wanted_s)
        now = time.monotonic()
        reader.stalled |= now - begin - wanted_s > STALLED_S
        if readable:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            for received in stream.feed(chunk):
                recorder.heard(received.event)
        if now >= due:
            sampler.tick()
            due = max(due + sampler.interval_s, time.monotonic())


def _answer(record: Record) -> None:
    """To a launcher that may be gone."""
    data = msgspec.json.encode(record)
    try:
        while data:
            data = data[os.write(1, data) :]
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
