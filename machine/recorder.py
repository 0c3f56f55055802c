"""Recording one cell: its series into telemetry.jsonl, and what its manifest says of it."""

from __future__ import annotations

import datetime
import os
import threading
from pathlib import Path
from typing import Callable, Iterable, List, NamedTuple

import msgspec

from machine import telemetry_flags
from machine.allotment import place
from machine.cell_readers import ENDED
from machine.energy import parted
from machine.host import TOO_SOON, WARMING_UP
from machine.sampler import CellReader, Sampler, only
from machine.series_file import MOST_BYTES, SeriesFile
from machine.summary import Summary
from manifests.artifacts import file_sha256
from manifests.codec import UnreadableError
from manifests.event import Done, Event, Phase
from manifests.hardware import IdlePower
from manifests.manifest import Flag, Gpu, Metric
from manifests.series_reader import read_series
from manifests.telemetry_series import AFTER, Opening, PhaseMark, Reasons, Sample, encode
from manifests.telemetry_summary import PhaseTelemetry, Telemetry, tabulated

FILE_NAME = "telemetry.jsonl"


class Record(NamedTuple):
    """What the telemetry of a cell adds to its manifest. ``gpus`` are all of the machine."""

    telemetry: Telemetry
    flags: List[Flag]
    metrics: List[Metric]
    gpus: List[Gpu]


class Recorder:
    """Records from ``begin`` to ``finish``; neither of them ever fails, nor does a cell by them.

    ``heard`` and ``watch`` come from the thread that follows the cell, samples from the sampler's.
    """

    def __init__(
        self,
        sampler: Sampler,
        folder: Path,
        cell_id: str,
        gpus: Iterable[int | str] = (),
        most_bytes: int = MOST_BYTES,
        idle: IdlePower | None = None,
    ) -> None:
        """``gpus`` are the numbers or UUIDs of those that the cell computes on.

        ``idle`` is what the machine drew before the run.
        """
        self._sampler = sampler
        self._cell_id = cell_id
        self._given = [str(gpu) for gpu in gpus]
        self._gpus = frozenset(place(self._given, {}, {}).numbers)
        self._path = folder / FILE_NAME
        self._most_bytes = most_bytes
        self._idle = idle
        self._lock = threading.Lock()
        self._summary = Summary()
        self._reasons: dict[str, str] = {}
        self._missing: dict[str, str] = {}
        self._runner_began_s: float | None = None
        self._begin_s = 0.0
        self._opening: Opening | None = None
        self._machine_gpus: list[Gpu] = []
        self._file: SeriesFile | None = None
        self._made = False
        self._failed = ""
        self._leave: list[Callable[[], None]] = []

    def begin(self, reader: CellReader) -> None:
        """Start with the machine as it is now."""
        self._begin_s = self._sampler.now_s()
        machine = self._sampler.opening
        self._machine_gpus = list(machine.gpus.values())
        placed = place(self._given, machine.gpus)
        self._gpus = frozenset(placed.numbers)
        if placed.reason:
            self._missing["gpus"] = placed.reason
        self._opening = msgspec.structs.replace(
            machine,
            started_at=_now(),
            cell=self._cell_id,
            cell_source=reader.source,
            gpus={index: gpu for index, gpu in machine.gpus.items() if index in self._gpus},
        )
        try:
            self._file = SeriesFile(self._path, self._opening, self._most_bytes)
            self._made = True
        except OSError as error:
            self._failed = f"{FILE_NAME} can't be written: {error.strerror or error}"
        self._leave = [
            self._sampler.watch(self._cell_id, reader),
            self._sampler.subscribe(self._take),
        ]
        self._sampler.tick()  # so that the first phases are covered whole

    def heard(self, event: Event) -> None:
        """Place a phase by the runner's clock, which the quickest of its events gives away."""
        if self._opening is None:
            return
        now_s = self._sampler.now_s() - self._begin_s
        began_s = now_s - event.time_s
        if self._runner_began_s is None or began_s < self._runner_began_s:
            self._runner_began_s = began_s
        if isinstance(event, (Phase, Done)):
            name = event.name if isinstance(event, Phase) else AFTER
            time_s = round(max(0.0, self._runner_began_s + event.time_s), 4)
            with self._lock:
                self._summary.phase(time_s, name)
                self._write(PhaseMark(time_s=time_s, name=name, runner_s=event.time_s))
            self._sampler.list_processes()

    def finish(self) -> Record:
        """The last sample, and what all of them say."""
        if self._opening is not None:
            self._sampler.tick()
        for leave in self._leave:
            leave()
        with self._lock:
            phases = self._summary.finish()
            telemetry = self._telemetry(phases)
        if self._opening is None:
            return Record(telemetry, [], [], [])
        return Record(
            telemetry,
            [*telemetry_flags.flags(self._summary.phases), *parted(phases)],
            telemetry_flags.metrics(
                phases,
                sorted(self._gpus),
                self._sampler.interval_s,
                {gpu.index: gpu.uuid for gpu in self._machine_gpus if gpu.index is not None},
                self._idle,
            ),
            self._machine_gpus,
        )

    def _take(self, whole: Sample) -> None:
        sample = only(whole, self._gpus, self._cell_id, self._begin_s)
        with self._lock:
            self._summary.add(sample)
            if sample.reasons != self._reasons:
                self._reasons = sample.reasons
                self._missing = {**_lasting(sample.reasons, self._cell_id), **self._missing}
                self._write(Reasons(time_s=sample.time_s, reasons=sample.reasons))
            self._write(msgspec.structs.replace(sample, reasons={}))

    def _write(self, line: Sample | PhaseMark | Reasons) -> None:
        if self._file is None:
            return
        try:
            self._file.write(encode(line), isinstance(line, Sample))
        except OSError as error:  # a full disk: the summary goes on without the series
            self._failed = f"{FILE_NAME} ends early: {error.strerror or error}"
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            try:
                file.close()
            except OSError as error:
                self._failed = f"{FILE_NAME} can't be used: {error.strerror or error}"

    def _uuids(self) -> list[str | None]:
        """Of its GPUs; nothing at all where NVML tells none."""
        known = {gpu.index: gpu.uuid for gpu in self._machine_gpus}
        found = [known.get(number) for number in sorted(self._gpus)]
        return found if any(found) else []

    def _telemetry(self, phases: list[PhaseTelemetry]) -> Telemetry:
        file = self._file
        self._close()
        good = file is not None and not self._failed
        telemetry = Telemetry(
            path=FILE_NAME if self._made and os.path.lexists(self._path) else "",
            samples=self._summary.samples,
            sha256=file.sha256() if good and file is not None else None,
            interval_s=self._sampler.interval_s,
            kept_every=file.kept_every if file is not None else 1,
            gpus=sorted(self._gpus),
            gpu_uuids=self._uuids(),
            reasons=dict(sorted(self._missing.items())),
            reason=self._failed,
        )
        return tabulated(telemetry, phases)


def recovered(folder: Path, why: str) -> Record | None:
    """What the series in a cell's folder says, when nobody summed it up; None without one.

    ``why`` says what became of who sampled; the time after the last sample is not known.
    """
    path = folder / FILE_NAME
    try:
        series = read_series(path)
        sha256 = file_sha256(path)
    except (OSError, UnreadableError):
        return None
    summary = Summary()
    for mark in series.phases:
        summary.phase(mark.time_s, mark.name)
    for sample in series.samples:
        summary.add(sample)
    phases, opening = summary.finish(), series.opening
    numbers = sorted(opening.gpus)
    telemetry = Telemetry(
        path=FILE_NAME,
        samples=summary.samples,
        sha256=sha256,
        interval_s=opening.interval_s,
        kept_every=opening.kept_every,
        gpus=numbers,
        gpu_uuids=[opening.gpus[number].uuid for number in numbers],
        reason=why,
    )
    return Record(
        tabulated(telemetry, phases),
        [*telemetry_flags.flags(summary.phases), *parted(phases)],
        telemetry_flags.metrics(phases, numbers, opening.interval_s),
        [opening.gpus[number] for number in numbers],
    )


def unrecorded(why: str) -> Record:
    """Of a cell beside which nothing was sampled."""
    return Record(Telemetry(path="", samples=0, reason=why), [], [], [])


def _lasting(reasons: dict[str, str], cell_id: str) -> dict[str, str]:
    """Without those that every cell has at its ends; its own by the names of a summary."""
    prefix = f"cells/{cell_id}"
    return {
        key.replace(prefix, "cell", 1): why
        for key, why in reasons.items()
        if why not in (WARMING_UP, TOO_SOON, ENDED)
    }


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
