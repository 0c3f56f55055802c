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
from typing import List

import msgspec

from machine.cell_readers import ContainerGroup, ProcessTree
from machine.recorder import Record, Recorder
from machine.sampler import Sampler
from manifests import order
from manifests.codec import read_struct
from manifests.event_stream import EventStream
from manifests.order import CellOrder
from runners.stalls import NoticesStalls


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
        reader.held_up(begin + wanted_s, now)
        if readable:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            for received in stream.feed(chunk):
                recorder.heard(received.event)
                reader.heard(received.event.time_s, now)
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
