"""A recorded series played back at any speed, as if the machine were here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from manifests.series_reader import Series
from manifests.telemetry_series import Opening, Sample
from orchestrator.telemetry import Hear
from orchestrator.telemetry.subscribers import Subscribers

_WAIT_S = 0.05


class Playback:
    """Gives the samples of a series at ``speed`` times the pace at which they were taken.

    ``speed`` may be changed, paused (0) and moved (``seek``) from any thread while it plays.
    """

    def __init__(
        self,
        series: Series,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.series = series
        self._speed = speed
        self._clock = clock
        self._subscribers = Subscribers()
        self._lock = threading.Lock()
        self._position_s = 0.0
        self._then_s = clock()
        self._next = 0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def opening(self) -> Opening:
        return self.series.opening

    @property
    def position_s(self) -> float:
        """Where in the series it is."""
        with self._lock:
            self._move()
            return min(self._position_s, self.series.length_s)

    @property
    def ended(self) -> bool:
        """Whether the last sample has been given."""
        return self._next >= len(self.series.samples)

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        with self._lock:
            self._move()
            self._speed = speed

    def seek(self, time_s: float) -> None:
        """Go on from ``time_s``; samples that are passed over are not given."""
        with self._lock:
            self._position_s, self._then_s = time_s, self._clock()
            self._next = self.series.position(time_s)

    def subscribe(self, hear: Hear) -> Callable[[], None]:
        return self._subscribers.add(hear)

    def due(self) -> list[Sample]:
        """The samples whose time has come since the last call, without telling anybody."""
        with self._lock:
            self._move()
            begin, samples = self._next, self.series.samples
            while self._next < len(samples) and samples[self._next].time_s <= self._position_s:
                self._next += 1
            return samples[begin : self._next]

    def tick(self) -> None:
        """Tell the subscribers what is due; the thread does nothing else."""
        for sample in self.due():
            self._subscribers.tell(sample)

    def start(self) -> None:
        with self._lock:
            self._then_s = self._clock()
        self._over.clear()
        self._thread = threading.Thread(target=self._play, name="playback", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _play(self) -> None:
        while not self._over.wait(_WAIT_S):
            self.tick()

    def _move(self) -> None:
        now = self._clock()
        self._position_s += (now - self._then_s) * self._speed
        self._then_s = now
