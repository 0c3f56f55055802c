"""What the machine went through while cells ran, sampled on the host by one thread.

``sampling.Sampler`` reads this machine and hands each sample to whoever subscribed;
``playback.Playback`` does the same with a recording. ``recording.Recorder`` writes the series
of one cell and sums it up for its manifest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from manifests.telemetry_series import Opening, Sample

Hear = Callable[[Sample], None]
"""Takes one sample, on the thread of the feed; it must return quickly."""


class Feed(Protocol):
    """Samples of a machine as they come: a live one or a recorded one."""

    @property
    def opening(self) -> Opening:
        """The machine, its GPUs, and whether the numbers are made up."""

    def subscribe(self, hear: Hear) -> Callable[[], None]:
        """Have ``hear`` called with each sample from now on; the returned call ends that."""

    def start(self) -> None:
        """Begin to give samples, on a thread of its own."""

    def stop(self) -> None:
        """Give no further samples; returns when the thread has ended."""
