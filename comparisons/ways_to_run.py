"""The ways to run each network of a run, with the latency of their calls and the quality of the
models which they call.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import msgspec

from comparisons.intervals import Interval, share_interval
from comparisons.measured import NOTHING, Measured, summarise
from comparisons.number_flags import disqualifying, forbidding
from comparisons.pareto import AGREEMENT, ITSELF, NOT_TIMED, QUALITIES, Network, Way, compared
from comparisons.points import Point, Points
from papers.published import Column

_LATENCY = Column(name="latency", label="latency", unit="ms", metric="latency_s")
_NETWORK = ("model", "dataset", "image_size", "seed", "protocol", "device", "batch_size")
_UNTIMED = _NETWORK[:2] + _NETWORK[3:5]
"""What a model that nobody timed shares with the networks that it is listed under."""
_FLOAT = "float32"
_EVALUATE = "evaluate"


def networks(points: Points) -> list[Network]:
    """One for each network, batch size and quality in which two ways at least have both numbers."""
    found = []
    models = _Models(points)
    for key, timed in _by_network(points).items():
        named = dict(zip(_NETWORK, key, strict=True))
        for by in QUALITIES:
            made = models.judged(named, list(timed.values()), by)
            if sum(way.numbers is not None for way in made) > 1:
                found.append(Network(named, by, tuple(compared(made))))
    return found


def _by_network(points: Points) -> dict[tuple[str, ...], dict[str, list[Point]]]:
    """The inferences of each in the study's own environments, by the process that others repeat."""
    found: dict[tuple[str, ...], dict[str, list[Point]]] = {}
    for point in points.all:
        if point.cell.task == "infer" and not point.cell.environment:
            key = tuple(str(getattr(point.cell, name)) for name in _NETWORK)
            first = msgspec.structs.replace(point.cell, repeat=0).id
            found.setdefault(key, {}).setdefault(first, []).append(point)
    return dict(sorted(found.items(), key=lambda item: (item[0][:-1], int(item[0][-1]))))


class _Models:
    """The models of a run: which are float parents, which nobody timed, whose answers stand in."""

    def __init__(self, points: Points) -> None:
        self._by_id = {point.id: point for point in points.all}
        self._roots = {
            point.manifest.fidelity.parent
            for point in points.all
            if point.manifest is not None and point.manifest.fidelity is not None
        }
        used = {point.cell.weights_from for point in points.all if point.cell.task == "infer"}
        untimed = [point for point in points.all if _is_untimed(point, used)]
        self._siblings = _siblings([one for one in points.all if one.id in used], untimed)
        taken = {point.id for point in self._siblings.values()}
        self._untimed: dict[tuple[str, ...], list[Point]] = {}
        for point in untimed:
            if point.id not in taken:
                shared = tuple(str(getattr(point.cell, name)) for name in _UNTIMED)
                self._untimed.setdefault(shared, []).append(point)

    def judged(
        self, network: Mapping[str, str], timed: Sequence[list[Point]], by: str
    ) -> list[Way]:
        """All ways to run that network, those that nobody timed in the same experiments too; which
        are on the front isn't known yet.
        """
        experiments = {name for processes in timed for p in processes for name in p.experiments}
        untimed = self._untimed.get(tuple(network[name] for name in _UNTIMED), [])
        beside = [one for one in untimed if not experiments.isdisjoint(one.experiments)]
        ways = [self._way(processes, by) for processes in timed]
        return ways + [self._way([], by, model) for model in beside]

    def _way(self, processes: list[Point], by: str, made: Point | None = None) -> Way:
        first = processes[0] if processes else made
        assert first is not None
        model = made or self._by_id.get(first.cell.weights_from or "")
        clean = _undisturbed(processes)
        latency = summarise(_LATENCY, clean) if processes else NOTHING._replace(state=NOT_TIMED)
        quality = self._quality(processes or [first], model, by)
        promised, share, by_count = _proof(processes)
        return Way(
            first.cell.framework, first.cell.technique, first.cell.variant, first.trained_with,
            latency, quality, _ends(quality), promised, share, by_count,
            _reason(latency, quality, by), left_out=len(processes) - len(clean),
        )  # fmt: skip

    def _quality(self, processes: list[Point], model: Point | None, by: str) -> Measured:
        """Of the calls themselves where they recorded it, else of the model that they run."""
        column = QUALITIES[by]
        own = summarise(column, processes)
        if own.value is not None or model is None or not _same_framework(processes, model):
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


def _undisturbed(processes: list[Point]) -> list[Point]:
    """Those whose latency nothing from outside disturbed, where one of them has ended."""
    clean = [
        point for point in processes
        if point.manifest is None or not forbidding(point.manifest, _LATENCY.metric)[0]
    ]  # fmt: skip
    ended = any(p.manifest is not None and p.manifest.status == "ok" for p in clean)
    return clean if ended else processes


def _same_framework(processes: Sequence[Point], model: Point) -> bool:
    """One file has other answers in another framework's kernels."""
    return processes[0].cell.framework == model.cell.framework


def _is_root(model: Point) -> bool:
    """Whether it was held against nothing itself."""
    return model.manifest is not None and model.manifest.fidelity is None


def _computes_as_trained(processes: Sequence[Point], model: Point) -> bool:
    """Whether what the training came to is true of these calls: in float32, as proven or named."""
    technique = processes[0].cell.technique
    proofs = [p.manifest.proof for p in processes if p.manifest is not None and p.manifest.proof]
    proven = bool(proofs) and all(
        proof.promised == _FLOAT and proof.coverage == 1.0 for proof in proofs
    )
    return proven or technique == model.cell.technique


def _is_untimed(point: Point, used: Collection[str | None]) -> bool:
    """Whether it is a model that was made and that no inference starts from."""
    made = point.cell.task == "quantize" and not point.cell.repeat and point.id not in used
    return made and point.manifest is not None and point.manifest.status == "ok"


def _siblings(models: Sequence[Point], untimed: Sequence[Point]) -> dict[str, Point]:
    """By the id of a timed model that answers no test images, as its recipe says: what the same
    technique and recipe made of the same weights for images of the size that they learned from.
    """
    found = {_but_size(point): point for point in untimed}
    silent = [one for one in models if not one.cell.recipe.get(_EVALUATE, True)]
    return {one.id: found[_but_size(one)] for one in silent if _but_size(one) in found}


def _but_size(point: Point) -> tuple[object, ...]:
    cell = point.cell
    recipe = {name: value for name, value in cell.recipe.items() if name != _EVALUATE}
    return (
        cell.task, cell.framework, cell.technique, cell.variant, cell.environment,
        cell.weights_from, cell.device, str(sorted(recipe.items())),
    )  # fmt: skip


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
