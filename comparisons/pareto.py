"""Accuracy or fidelity against latency: the ways to run one network that none other beats in both.

A way is a technique of a toolchain on one model: its latency is that of its calls, its quality
that of the model which they run. What has no number in one of both, or one that a flag forbids to
decide, is not compared, and says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from comparisons.intervals import Interval, median_interval
from comparisons.measured import Measured
from papers.published import Column

ACCURACY, AGREEMENT, SQNR = "accuracy", "agreement", "sqnr"
QUALITIES = {
    ACCURACY: Column(name=ACCURACY, label="accuracy", unit="%", metric="accuracy"),
    AGREEMENT: Column(name=AGREEMENT, label="agreement", unit="%", metric="agreement"),
    SQNR: Column(name=SQNR, label="output SQNR", unit="dB", metric="sqnr_db"),
}
"""What a model may be judged by, the first that is known first; more is better."""
ITSELF = "the float model itself"
NOT_TIMED = "its calls were not timed"


class Place(NamedTuple):
    """Where a way stands: the faster and the better, the further ahead."""

    latency_ms: float
    quality: float

    def beats(self, other: Place) -> bool:
        """Worse in neither, and better in one."""
        no_worse = self.latency_ms <= other.latency_ms and self.quality >= other.quality
        return no_worse and self != other


def on_front(places: Sequence[Place]) -> list[bool]:
    """For each whether none of the others beats it; of equal ones all are on it."""
    found = [False] * len(places)
    best, fastest = float("-inf"), float("inf")
    for index in sorted(range(len(places)), key=lambda at: (places[at].latency_ms, -places[at][1])):
        latency_ms, quality = places[index]
        if quality > best:
            best, fastest = quality, latency_ms
        found[index] = (latency_ms, quality) == (fastest, best)
    return found


class Way(NamedTuple):
    """``reason`` says why it isn't compared, "" where it is; ``beaten_by`` is the title of a way on
    the front. ``promised`` and ``share``: the type that was promised, and how much of the time of
    convolutions and products ran in it (``by_count``: of their number), None where nobody knows.
    ``left_out``: so many of its processes were disturbed, beside others that were not.
    """

    framework: str
    technique: str
    variant: str
    trained_with: str
    latency: Measured
    quality: Measured
    quality_ends: Interval | None
    promised: str = ""
    share: float | None = None
    by_count: bool = False
    reason: str = ""
    front: bool = False
    beaten_by: str = ""
    left_out: int = 0

    @property
    def title(self) -> str:
        """``onnxruntime ptq-qdq entropy``."""
        return " ".join(part for part in (self.framework, self.technique, self.variant) if part)

    @property
    def numbers(self) -> Place | None:
        """Both, also of what a flag keeps from being compared; None where one is missing."""
        if self.latency.value is None or self.quality.value is None:
            return None
        return Place(self.latency.value, self.quality.value)

    @property
    def place(self) -> Place | None:
        """None where it isn't compared."""
        return None if self.reason else self.numbers

    @property
    def latency_ends(self) -> Interval | None:
        """Of 95 % over processes, where there are enough."""
        return median_interval(self.latency.values) if self.latency.values else None


class Network(NamedTuple):
    """One network on one batch size, judged by one quality; ``key`` are fields of its cells.

    The ways on the front come first, then the others that were compared, then what is flagged, then
    what has no number.
    """

    key: dict[str, str]
    by: str
    ways: tuple[Way, ...]

    @property
    def front(self) -> list[Way]:
        """The fastest first."""
        return [way for way in self.ways if way.front]


def preferred(found: Sequence[Network]) -> list[Network]:
    """Each network and batch size once, by the first quality that is known of two of its ways."""
    chosen: dict[tuple[str, ...], Network] = {}
    for one in found:
        chosen.setdefault(tuple(one.key.values()), one)
    return list(chosen.values())


def compared(ways: Sequence[Way]) -> list[Way]:
    """With what is on the front and what beats the others."""
    placed = [(way, way.place) for way in ways]
    able = [(way, place) for way, place in placed if place is not None]
    marks = on_front([place for _, place in able])
    front = [one for one, mark in zip(able, marks, strict=True) if mark]
    front.sort(key=lambda one: (one[1].latency_ms, -one[1].quality))
    behind = [
        (way._replace(beaten_by=_winner(place, front)), place)
        for (way, place), mark in zip(able, marks, strict=True)
        if not mark
    ]
    behind.sort(key=lambda one: one[1].latency_ms)
    rest = [way for way, place in placed if place is None]
    rest.sort(key=lambda way: way.numbers is None)
    return [way._replace(front=True) for way, _ in front] + [way for way, _ in behind] + rest


def _winner(place: Place, front: Sequence[tuple[Way, Place]]) -> str:
    """The best of those on the front that beat it."""
    beating = [one for one in front if one[1].beats(place)]
    return max(beating, key=lambda one: (one[1].quality, -one[1].latency_ms))[0].title
