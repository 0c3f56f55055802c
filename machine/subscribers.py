"""Who wants to hear of samples; an error of one of them reaches neither the others nor us."""

from __future__ import annotations

import logging
import threading
from typing import Callable

from manifests.telemetry_series import Sample

Hear = Callable[[Sample], None]
"""Takes one sample, on the sampling thread; it must return quickly."""

_log = logging.getLogger(__name__)


class Subscribers:
    """May be changed from any thread while it tells."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._all: list[Hear] = []

    def __bool__(self) -> bool:
        return bool(self._all)

    def add(self, hear: Hear) -> Callable[[], None]:
        """Returns what takes ``hear`` off again; a second call does nothing."""
        with self._lock:
            self._all = [*self._all, hear]

        def leave() -> None:
            with self._lock:
                self._all = [other for other in self._all if other is not hear]

        return leave

    def tell(self, sample: Sample) -> None:
        """One that fails hears no more; its error is logged."""
        for hear in self._all:
            try:
                hear(sample)
            except Exception:  # whatever a listener does, sampling goes on
                with self._lock:
                    self._all = [other for other in self._all if other is not hear]
                _log.exception("a listener of telemetry failed and hears no more")
