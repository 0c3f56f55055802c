"""Playing a recording: messages, samples and log lines as their time comes, at any speed."""

from __future__ import annotations

import time
from collections.abc import Callable

from manifests.series_reader import Series
from manifests.telemetry_series import Opening, Sample
from tui.recording import Recording, read_log, read_telemetry
from tui.run_queue import Received

SPEEDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0)
_MOST_SAMPLES = 600


class Replay:
    """Asked from one thread, a few times a second."""

    def __init__(
        self,
        recording: Recording,
        speed: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.recording = recording
        self.paused = False
        self._speed = speed
        self._clock = clock
        self._then_s = clock()
        self._position_s = 0.0
        self._next = 0
        self._cell = ""
        self._series: Series | None = None
        self._sampled_s = 0.0
        self._log: list[str] = []
        self._logged = 0

    @property
    def now_s(self) -> float:
        """Where in the run it is."""
        return self._position_s

    def hold(self) -> None:
        """Stop, or go on."""
        self._move()
        self.paused = not self.paused

    @property
    def ended(self) -> bool:
        return self._next >= len(self.recording.moments)

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._move()
        self._speed = speed

    @property
    def opening(self) -> Opening | None:
        """What the telemetry of the shown cell is of, or None."""
        return self._series.opening if self._series else None

    def due(self) -> list[Received]:
        """The messages whose time has come since the last call."""
        self._move()
        begin, self._next = self._next, self.recording.at(self._position_s)
        moments = self.recording.moments[begin : self._next]
        return [Received(moment.message, moment.at_s) for moment in moments]

    def seek(self, time_s: float) -> list[Received]:
        """Go to ``time_s``; all messages until then, from the beginning."""
        self._move()
        self._position_s = min(max(0.0, time_s), self.recording.length_s)
        self._next, self._cell = 0, ""
        return self.due()

    def show(self, cell: str) -> bool:
        """Look at another cell's log and telemetry; whether it is another."""
        if cell == self._cell:
            return False
        self._cell = cell
        self._series = read_telemetry(self.recording.run, cell) if cell else None
        self._log = read_log(self.recording.run, cell) if cell else []
        self._logged = 0
        self._sampled_s = float("-inf")
        return True

    def samples(self) -> list[Sample]:
        """The shown cell's samples since the last call, by the clock of the run."""
        played = self.recording.cells.get(self._cell)
        if self._series is None or played is None:
            return []
        offset_s = played.begin_s - (self._series.runner_began_s or 0.0)
        found = self._series.between(self._sampled_s, self._position_s - offset_s)
        self._sampled_s = max(self._sampled_s, self._position_s - offset_s)
        return found[-_MOST_SAMPLES:]

    def log_lines(self) -> list[str]:
        """The lines that are new. They carry no times, so they are spread over the cell."""
        played = self.recording.cells.get(self._cell)
        if played is None:
            return []
        length_s = max(1e-3, played.end_s - played.begin_s)
        share = min(1.0, max(0.0, (self._position_s - played.begin_s) / length_s))
        begin, self._logged = self._logged, max(self._logged, round(share * len(self._log)))
        return self._log[begin : self._logged]

    def _move(self) -> None:
        now = self._clock()
        if not self.paused:
            step_s = (now - self._then_s) * self._speed
            self._position_s = min(self.recording.length_s, self._position_s + step_s)
        self._then_s = now
