"""The one thread that reads this machine, and hands each sample to whoever subscribed."""

from __future__ import annotations

import datetime
import threading
import time
from typing import Callable, Protocol

from machine.cell_readers import CellReadings
from machine.gpus import GpuReader, NvmlGpus, Own
from machine.host import Host
from machine.subscribers import Hear, Subscribers
from manifests.manifest import Gpu
from manifests.telemetry_series import CellSample, GpuSample, Opening, Sample

INTERVAL_S = 0.2
PROCESSES_EVERY_S = 5.0
PATIENCE_S = 10.0
"""A driver that hangs holds up the sampling thread, and others no longer than this."""


class CellReader(Protocol):
    """Reads one running cell."""

    source: str

    def read(self) -> CellReadings:
        """One sample; after the cell's end every reading is missing."""

    def pids(self) -> frozenset[int] | None:
        """The process ids that belong to it now, None when nobody knows; takes milliseconds."""


class Sampler:
    """Samples this host, its GPUs and the cells it is told of, every ``interval_s`` seconds.

    ``time_s`` of its samples is seconds since it was made. Nothing is read while nobody
    listens. Every method may be called from any thread.
    """

    def __init__(
        self,
        host: Host | None = None,
        gpus: GpuReader | None = None,
        interval_s: float = INTERVAL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.interval_s = interval_s
        self._host = host or Host()
        self._gpus = gpus or NvmlGpus()
        self._clock = clock
        self._began = clock()
        self._cells: dict[str, CellReader] = {}
        self._subscribers = Subscribers()
        self._opening: Opening | None = None
        self._processes_at = 0.0
        self._reading = threading.RLock()
        self._changing = threading.Lock()
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def opening(self) -> Opening:
        """The machine; the first call may take a second, while the driver wakes up."""
        if self._opening is None and self._reading.acquire(timeout=PATIENCE_S):
            try:
                self._opening = self._opening or self._describe(self._gpus.describe())
            finally:
                self._reading.release()
        return self._opening or self._describe({})

    def _describe(self, gpus: dict[int, Gpu]) -> Opening:
        cpus, memory_bytes = self._host.describe()
        return Opening(
            started_at=datetime.datetime.now(datetime.timezone.utc).isoformat(),
            interval_s=self.interval_s,
            made_up=self._gpus.made_up,
            cpus=cpus,
            memory_bytes=memory_bytes,
            gpus=gpus,
        )

    def now_s(self) -> float:
        """Its clock: seconds since it was made."""
        return self._clock() - self._began

    def subscribe(self, hear: Hear) -> Callable[[], None]:
        return self._subscribers.add(hear)

    def watch(self, cell_id: str, reader: CellReader) -> Callable[[], None]:
        """Read a cell as well; the returned call ends that."""
        reader.read()  # percentages are since the reading before
        with self._changing:
            self._cells = {**self._cells, cell_id: reader}
        self.list_processes()

        def leave() -> None:
            with self._changing:
                self._cells = {name: r for name, r in self._cells.items() if r is not reader}

        return leave

    def list_processes(self) -> None:
        """List the processes on the GPUs with the next sample, not only when their turn comes."""
        self._processes_at = 0.0

    def tick(self) -> None:
        """Take a sample and tell it, also between two turns of the thread; not while it hangs."""
        if self._reading.acquire(timeout=PATIENCE_S / 10):
            try:
                self._subscribers.tell(self._sample())
            finally:
                self._reading.release()

    def start(self) -> None:
        """Begin to sample; a second call does nothing."""
        if self._thread is None:
            self._over.clear()
            self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._over.set()
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.join(PATIENCE_S)
        if self._reading.acquire(timeout=0.0 if thread and thread.is_alive() else PATIENCE_S):
            try:
                self._gpus.close()
            finally:
                self._reading.release()

    def _run(self) -> None:
        _ = self.opening
        due = self._clock()
        while not self._over.wait(max(0.0, due - self._clock())):
            if self._subscribers:
                self.tick()
            due = max(due + self.interval_s, self._clock())  # what was slept through is past

    def _sample(self) -> Sample:
        time_s = self.now_s()
        host = self._host.read()
        reasons = dict(host.reasons)
        gpus = self._gpus.read(self._own() if self._list_now(time_s) else None)
        reasons.update(gpus.reasons)
        return Sample(
            time_s=round(time_s, 4),
            host=host.sample,
            gpus=gpus.samples,
            cells={name: _read(name, cell, reasons) for name, cell in self._cells.items()},
            reasons=reasons,
        )

    def _list_now(self, time_s: float) -> bool:
        if time_s < self._processes_at or self._opening is None or not self._opening.gpus:
            return False
        self._processes_at = time_s + PROCESSES_EVERY_S
        return True

    def _own(self) -> Own:
        """Tells our cells' processes from others, as of now."""
        found = [reader.pids() for reader in self._cells.values()]
        known = frozenset().union(*(pids for pids in found if pids is not None))
        stranger = None if None in found else False
        return lambda pid: True if pid in known else stranger


def _read(name: str, reader: CellReader, reasons: dict[str, str]) -> CellSample:
    found = reader.read()
    for field, why in found.reasons.items():
        reasons[f"cells/{name}/{field}".rstrip("/")] = why
    return found.sample


def only(sample: Sample, gpus: frozenset[int], cell_id: str, begin_s: float) -> Sample:
    """What of a sample concerns one cell, on a clock that stood at 0 at ``begin_s``."""
    kept: list[GpuSample] = [gpu for gpu in sample.gpus if gpu.index in gpus]
    return Sample(
        time_s=round(sample.time_s - begin_s, 4),
        host=sample.host,
        gpus=kept,
        cells={name: cell for name, cell in sample.cells.items() if name == cell_id},
        reasons={k: v for k, v in sample.reasons.items() if _concerns(k, gpus, cell_id)},
    )


def _concerns(key: str, gpus: frozenset[int], cell_id: str) -> bool:
    what, _, rest = key.partition("/")
    name = rest.partition("/")[0]
    if what == "gpus":
        return bool(gpus) and (not name or int(name) in gpus)
    return what == "host" or name == cell_id
