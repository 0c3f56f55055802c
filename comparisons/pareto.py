"""Accuracy or fidelity against latency: the ways to run one network that none other beats in both.

A way is a technique of a toolchain on one model: its latency is that of its calls, its quality
that of the model which they run. What has no number in one of both, or one that a flag forbids to
decide, is not compared, and says why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from comparisons.intervals import Interval, median_interval, share_interval
from comparisons.measured import NOTHING, Measured, summarise
from comparisons.number_flags import disqualifying
from comparisons.points import Point, Points
from papers.published import Column

ACCURACY, AGREEMENT, SQNR = "accuracy", "agreement", "sqnr"
QUALITIES = {
    ACCURACY: Column(name=ACCURACY, label="accuracy", unit="%", metric="accuracy"),
    AGREEMENT: Column(name=AGREEMENT, label="top-1 agreement", unit="%", metric="agreement"),
    SQNR: Column(name=SQNR, label="output SQNR", unit="dB", metric="sqnr_db"),
}
"""What a model may be judged by, the first that is known first; more is better."""
_LATENCY = Column(name="latency", label="latency", unit="ms", metric="latency_s")
_NETWORK = ("model", "dataset", "image_size", "seed", "protocol", "device", "batch_size")
_UNTIMED = _NETWORK[:2] + _NETWORK[3:5]
"""What a model that nobody timed shares with the networks that it is listed under."""
FLOAT = "float32"
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


def networks(points: Points) -> list[Network]:
    """One for each network, batch size and quality in which two ways at least have both numbers."""
    found = []
    for key, timed in _by_network(points).items():
        named = dict(zip(_NETWORK, key, strict=True))
        ways = _Ways(points, named, timed)
        for by in QUALITIES:
            made = ways.judged(by)
            if sum(way.numbers is not None for way in made) > 1:
                found.append(Network(named, by, tuple(_compared(made))))
    return found


def preferred(found: Sequence[Network]) -> list[Network]:
    """Each network and batch size once, by the first quality that is known of two of its ways."""
    chosen: dict[tuple[str, ...], Network] = {}
    for one in found:
        chosen.setdefault(tuple(one.key.values()), one)
    return list(chosen.values())


def _by_network(points: Points) -> dict[tuple[str, ...], dict[str, list[Point]]]:
    """The inferences of each, by the process that the others repeat."""
    found: dict[tuple[str, ...], dict[str, list[Point]]] = {}
    for point in points.all:
        if point.cell.task == "infer":
            key = tuple(str(getattr(point.cell, name)) for name in _NETWORK)
            first = msgspec.structs.replace(point.cell, repeat=0).id
            found.setdefault(key, {}).setdefault(first, []).append(point)
    return dict(sorted(found.items(), key=lambda item: (item[0][:-1], int(item[0][-1]))))


class _Ways:
    """The ways to run one network, whatever they are judged by."""

    def __init__(
        self, points: Points, key: Mapping[str, str], timed: Mapping[str, list[Point]]
    ) -> None:
        self._by_id = {point.id: point for point in points.all}
        self._roots = {
            point.manifest.fidelity.parent
            for point in points.all
            if point.manifest is not None and point.manifest.fidelity is not None
        }
        self._timed = list(timed.values())
        untimed = list(_untimed(points, key, self._timed))
        used = {point.cell.weights_from for point in points.all if point.cell.task == "infer"}
        self._siblings = _siblings([one for one in points.all if one.id in used], untimed)
        taken = {point.id for point in self._siblings.values()}
        self._untimed = [point for point in untimed if point.id not in taken]

    def judged(self, by: str) -> list[Way]:
        """All of them; which are on the front isn't known yet."""
        ways = [self._way(processes, by) for processes in self._timed]
        return ways + [self._way([], by, model) for model in self._untimed]

    def _way(self, processes: list[Point], by: str, made: Point | None = None) -> Way:
        first = processes[0] if processes else made
        assert first is not None
        model = made or self._by_id.get(first.cell.weights_from or "")
        latency = summarise(_LATENCY, processes) if processes else NOTHING._replace(state=NOT_TIMED)
        quality = self._quality(processes or [first], model, by)
        promised, share, by_count = _proof(processes)
        return Way(
            first.cell.framework, first.cell.technique, first.cell.variant, first.trained_with,
            latency, quality, _ends(quality), promised, share, by_count,
            _reason(latency, quality, by),
        )  # fmt: skip

    def _quality(self, processes: list[Point], model: Point | None, by: str) -> Measured:
        """Of the calls themselves where they recorded it, else of the model that they run."""
        column = QUALITIES[by]
        own = summarise(column, processes)
        if own.value is not None or model is None:
            return own._replace(state=_missing(column, processes) or own.state)
        if model.cell.task == "train" and not _computes_as_trained(processes, model):
            return own
        if by == AGREEMENT and model.id in self._roots and _is_root(model):
            return Measured(100.0, 1, 1, "ok", [model.id], [], work=ITSELF)
        found = summarise(column, [model])
        if found.value is None and model.id in self._siblings:
            return self._of_sibling(column, self._siblings[model.id])
        return found._replace(state=_missing(column, [model]) or found.state)

    def _of_sibling(self, column: Column, sibling: Point) -> Measured:
        found = summarise(column, [sibling])
        return found._replace(work=f"at {sibling.cell.image_size} px")


def _is_root(model: Point) -> bool:
    """Whether it was held against nothing itself."""
    return model.manifest is not None and model.manifest.fidelity is None


def _computes_as_trained(processes: Sequence[Point], model: Point) -> bool:
    """Whether what the training came to is true of these calls: in float32, as proven or named."""
    technique = processes[0].cell.technique
    proofs = [p.manifest.proof for p in processes if p.manifest is not None and p.manifest.proof]
    proven = bool(proofs) and all(
        proof.promised == FLOAT and proof.coverage == 1.0 for proof in proofs
    )
    return proven or technique == model.cell.technique


def _untimed(
    points: Points, key: Mapping[str, str], timed: Sequence[list[Point]]
) -> Iterator[Point]:
    """Models of the same network and experiments that no inference starts from."""
    used = {point.cell.weights_from for point in points.all if point.cell.task == "infer"}
    experiments = {name for processes in timed for p in processes for name in p.experiments}
    for point in points.all:
        if point.cell.task != "quantize" or point.id in used or point.cell.repeat:
            continue
        same = all(str(getattr(point.cell, name)) == key[name] for name in _UNTIMED)
        ended = point.manifest is not None and point.manifest.status == "ok"
        if same and ended and not experiments.isdisjoint(point.experiments):
            yield point


def _siblings(models: Sequence[Point], untimed: Sequence[Point]) -> dict[str, Point]:
    """By a timed model's id: the same technique on the same weights, for images of the size that
    they learned from, where answering the test images was left to that.
    """
    found = {_but_size(point): point for point in untimed}
    return {one.id: found[_but_size(one)] for one in models if _but_size(one) in found}


def _but_size(point: Point) -> tuple[object, ...]:
    cell = point.cell
    return cell.task, cell.framework, cell.technique, cell.variant, cell.weights_from, cell.device


def _missing(column: Column, points: Sequence[Point]) -> str:
    """Why a metric that was recorded has no number, as it says itself."""
    for point in points:
        metric = point.manifest.metric(column.metric) if point.manifest else None
        if metric is not None and metric.reason and all(one is None for one in metric.samples):
            return metric.reason
    return ""


def _ends(quality: Measured) -> Interval | None:
    """Of a share of test images."""
    if quality.value is None or not quality.images:
        return None
    low, high = share_interval(quality.value / 100 * quality.images, quality.images)
    return Interval(100 * low, 100 * high)


def _proof(processes: Sequence[Point]) -> tuple[str, float | None, bool]:
    """The promised type, and its share by time, else by count."""
    ended = [p.manifest for p in processes if p.manifest is not None and p.manifest.proof]
    promised = next((one.proof.promised for one in ended if one.proof), "")
    for metric, by_count in (("promised_time_share", False), ("promised_share", True)):
        for one in ended:
            found = one.metric(metric)
            if found is not None and found.samples and found.samples[0] is not None:
                return promised, found.samples[0], by_count
    coverage = next((one.proof.coverage for one in ended if one.proof), None)
    return promised, coverage, True


def _reason(latency: Measured, quality: Measured, by: str) -> str:
    """Why a way isn't compared; "" where it is."""
    if latency.value is None:
        return latency.state
    if quality.value is None:
        return f"no {QUALITIES[by].label}: {quality.state}"
    flags = dict.fromkeys([*disqualifying(latency.flagged), *disqualifying(quality.flagged)])
    return f"flagged: {', '.join(flags)}" if flags else ""


def _compared(ways: Sequence[Way]) -> list[Way]:
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
