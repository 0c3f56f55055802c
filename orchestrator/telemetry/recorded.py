"""The GPUs of a recorded series in place of real ones, again and again."""

from __future__ import annotations

import time
from collections.abc import Callable

from manifests.manifest import Gpu
from manifests.series_reader import Series
from orchestrator.telemetry.gpus import GpuReadings, Own


class RecordedGpus:
    """Reads, at each moment, what the series held so long after its beginning.

    At its end it begins anew: counters then go back, which a summary notices.
    """

    def __init__(
        self,
        series: Series,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises ValueError for a series without samples."""
        if not series.samples:
            raise ValueError("a series without samples can't be played")
        self.made_up = series.opening.made_up
        self._series = series
        self._speed = speed
        self._clock = clock
        self._begin_s = clock()

    def describe(self) -> dict[int, Gpu]:
        return dict(self._series.opening.gpus)

    def read(self, own: Own | None) -> GpuReadings:
        time_s = (self._clock() - self._begin_s) * self._speed
        length_s = self._series.length_s
        sample = self._series.at(time_s % length_s if length_s else 0.0) or self._series.samples[0]
        gpus = {key: why for key, why in sample.reasons.items() if key.split("/")[0] == "gpus"}
        return GpuReadings(sample.gpus, gpus)

    def close(self) -> None:
        pass
