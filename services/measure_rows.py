"""What measuring a model came to: rows by toolchain, precision and batch; a sentence of advice."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from comparisons.intervals import Interval, median_interval, ratio_interval
from comparisons.statistics import readings
from manifests.cell import Cell
from manifests.flags import flags_of, voids
from manifests.manifest import Manifest
from manifests.plan import Plan
from manifests.runner_files import framework
from services.own_model_study import AS_GIVEN, INT8

_DISTURBED = " The machine was disturbed meanwhile (*): measure again before you rely on it."
NOT_RUN, NO_TIME = "not run", "the budget left no time for it; go on with a larger --budget"
_REALLY = 0.5
"""Of the time of convolutions and products: below it a row is not called INT8."""


class Row(NamedTuple):
    """``latencies_s`` has the median of each process; what is None is missing for ``reason``.

    ``agreement``, ``sqnr_db`` and ``accuracy`` are those of the model that the row times. The
    proof: what of the convolutions and products ran in ``promised``, by time and by count.
    """

    framework: str
    technique: str
    batch_size: int
    status: str
    reason: str
    latencies_s: tuple[float, ...] = ()
    interval_s: Interval | None = None
    throughput_items_per_s: float | None = None
    size_bytes: float | None = None
    agreement: float | None = None
    samples: int = 0
    sqnr_db: float | None = None
    exact: bool = False
    accuracy: float | None = None
    promised: str = ""
    time_share: float | None = None
    count_share: float | None = None
    disturbed: bool = False
    reference: bool = False

    @property
    def latency_s(self) -> float | None:
        """The median of its processes."""
        return statistics.median(self.latencies_s) if self.latencies_s else None

    @property
    def precision(self) -> str:
        """``as given`` or ``INT8``."""
        return "INT8" if self.technique == INT8 else "as given"

    @property
    def title(self) -> str:
        """``INT8 in OpenVINO``, ``the file in ONNX Runtime``."""
        what = "INT8" if self.technique == INT8 else "the file"
        return f"{what} in {framework(self.framework).title}"

    @property
    def proven(self) -> bool:
        """Whether it ran as its name says: all does that promises nothing."""
        share = self.time_share if self.time_share is not None else self.count_share
        return self.technique != INT8 or (share is not None and share >= _REALLY)


def rows(plan: Plan, manifests: Sequence[Manifest], reference: str) -> list[Row]:
    """In the order of the plan, by batch size; ``reference`` is the framework that opens the file
    as it is.
    """
    by_id = {one.id: one for one in manifests}
    points: dict[tuple[int, str, str], list[Manifest]] = {}
    skipped: dict[tuple[int, str, str], str] = {}
    for planned in plan.cells:
        cell = planned.cell
        key = (cell.batch_size, cell.framework, cell.technique)
        if cell.task == "infer":
            points.setdefault(key, []).extend([by_id[planned.id]] if planned.id in by_id else [])
            skipped.setdefault(key, planned.skip or _parents_reason(cell, by_id))
    made = {
        (one.cell.framework, one.cell.technique): one
        for one in manifests
        if one.cell.task == "quantize"
    }
    order = sorted(points, key=lambda key: key[0])
    return [_row(key, points[key], made.get(key[1:]), skipped[key], reference) for key in order]


def _parents_reason(cell: Cell, by_id: dict[str, Manifest]) -> str:
    parent = by_id.get(cell.weights_from or "")
    if parent is None:
        return ""
    return "" if parent.status == "ok" else parent.reason


def _row(
    key: tuple[int, str, str],
    processes: list[Manifest],
    made: Manifest | None,
    skipped: str,
    reference: str,
) -> Row:
    batch, name, technique = key
    ended = [one for one in processes if one.status == "ok"]
    if not ended:
        return Row(name, technique, batch, *_why_none(processes, skipped))
    found = [one for one in map(_latency, ended) if one is not None]
    sqnr = made.metric("sqnr_db") if made else None
    agreement = made.metric("agreement") if made else None
    return Row(
        framework=name,
        technique=technique,
        batch_size=batch,
        status="ok",
        reason="",
        latencies_s=tuple(found),
        interval_s=median_interval(found) if found else None,
        throughput_items_per_s=_middle(ended, "throughput_items_per_s"),
        size_bytes=_first(made, "model_size_bytes"),
        agreement=_first(made, "agreement"),
        samples=agreement.items if agreement else 0,
        sqnr_db=_first(made, "sqnr_db"),
        exact=sqnr is not None and sqnr.reason.startswith("exact"),
        accuracy=_first(made, "accuracy"),
        promised=next((one.proof.promised for one in ended if one.proof), ""),
        time_share=_middle(ended, "promised_time_share"),
        count_share=_middle(ended, "promised_share"),
        disturbed=any(voids(flag) for one in ended for flag in flags_of(one, "latency_s")),
        reference=name == reference and technique == AS_GIVEN,
    )


def _why_none(processes: Sequence[Manifest], skipped: str) -> tuple[str, str]:
    """The status and the reason of what has no number."""
    if processes:
        return processes[0].status, skipped or processes[0].reason
    return ("unsupported", skipped) if skipped else (NOT_RUN, NO_TIME)


def _latency(manifest: Manifest) -> float | None:
    metric = manifest.metric("latency_s")
    values = readings(metric) if metric else []
    return statistics.median(values) if values else None


def _first(manifest: Manifest | None, name: str) -> float | None:
    metric = manifest.metric(name) if manifest else None
    values = readings(metric) if metric else []
    return values[0] if values else None


def _middle(manifests: Sequence[Manifest], name: str) -> float | None:
    found = [value for one in manifests if (value := _first(one, name)) is not None]
    return statistics.median(found) if found else None


class Gain(NamedTuple):
    """How many times as fast as the file as it is, with both ends of 95 % where they are known."""

    row: Row
    times: float
    interval: Interval | None


def best(found: Sequence[Row], least_agreement: float) -> tuple[Row, Gain | None] | None:
    """The file as it is at the smallest batch, and the row there that is certainly faster, the
    fastest of those that agree well enough with it; None where the file wasn't measured.
    """
    base = next((row for row in found if row.reference and row.latency_s), None)
    if base is None:
        return None
    gains = [
        gain
        for gain in _gains(base, found)
        if _acceptable(gain.row, base, least_agreement) and _faster(gain)
    ]
    return base, max(gains, key=lambda gain: gain.times, default=None)


def _gains(base: Row, found: Sequence[Row]) -> Iterator[Gain]:
    for row in found:
        if row is not base and row.batch_size == base.batch_size and row.latency_s:
            inverse = ratio_interval(row.latencies_s, base.latencies_s)
            yield Gain(row, (base.latency_s or 0.0) / row.latency_s, inverse)


def _acceptable(row: Row, base: Row, least_agreement: float) -> bool:
    agrees = row.agreement is not None and row.agreement >= least_agreement
    right = base.accuracy is None or row.accuracy is None
    kept = right or (base.accuracy or 0) - (row.accuracy or 0) <= 1 - least_agreement
    return row.proven and agrees and kept


def _faster(gain: Gain) -> bool:
    return gain.times > 1 and (gain.interval is None or gain.interval.low > 1)


def advice(found: Sequence[Row], least_agreement: float, random: bool) -> str:
    """One sentence."""
    chosen = best(found, least_agreement)
    if chosen is None:
        return "The file could not be measured as it is, so that nothing can be held against it."
    base, gain = chosen
    at = f"At batch {base.batch_size} "
    if gain is None:
        return (
            f"{at}nothing that agrees with the file on {100 * least_agreement:g} % of the samples "
            f"is surely faster than {base.title}: keep that."
        )
    row, ends = gain.row, gain.interval
    sure = f" (95 %: {ends.low:.2f} to {ends.high:.2f})" if ends else " (one process: no interval)"
    told = f"{at}{row.title} answers {gain.times:.1f} times as fast as {base.title}{sure}; "
    return told + _fidelity(row, base, random) + _DISTURBED * (row.disturbed or base.disturbed)


def _fidelity(row: Row, base: Row, random: bool) -> str:
    told = f"top-1 agreement {100 * (row.agreement or 0):.1f} % of {row.samples:,}"
    if random:
        return f"{told} random inputs, which say nothing of accuracy."
    if row.accuracy is not None and base.accuracy is not None:
        change = f"accuracy {100 * row.accuracy:.1f} % for {100 * base.accuracy:.1f} %"
        return f"{told} samples, {change}."
    return f"{told} samples."
