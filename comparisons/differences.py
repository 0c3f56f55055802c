"""Two runs cell by cell: same, faster, slower, or undecided; and their environments."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from comparisons.environments import Differing, Facts, differing, facts
from comparisons.intervals import (
    Interval,
    adjusted,
    p_value,
    ratio_interval,
    share_interval,
)
from comparisons.measured import images_tested
from comparisons.number_flags import NO_FLAGS, Flagged, disqualifying, disturbed, flagged
from comparisons.statistics import median, readings
from manifests.cell import Cell, canonical_json
from manifests.errors import RepliquantError
from manifests.flags import IMPOSSIBLE
from manifests.manifest import Manifest, Metric
from manifests.metrics import COMPARED, METRICS, is_exact, is_proportion
from manifests.units import change_words

SIGNIFICANT = 0.03
"""Below 5 %, so that of 200 comparisons of a configuration with itself fewer than 5 % are called
different not just on average; a slowdown of 5 % is still found in 10 processes that scatter by
2 % (tests, ``just bench verdicts``).
"""
MARGIN = 0.02
"""Sides whose ratio certainly lies this near to 1 are the same."""

UNDECIDED = "undecided"
ONE_PROCESS = "only one process on a side; give several runs: compare a,b c,d"
_OF_ONE_GPU = re.compile(r"GPU \d+")


class PoolingError(RepliquantError, ValueError):
    """Runs of one side come from different environments."""


class Side(NamedTuple):
    """The manifests of one side, of one run or of several."""

    names: list[str]
    manifests: list[Manifest]
    facts: Facts


class Difference(NamedTuple):
    """One metric of one cell. ``ratio`` is new over base, ``p`` after the correction.

    ``label`` tells apart metrics of one name. ``flagged`` has the cells of each flag of both sides.
    """

    cell: str
    metric: str
    unit: str
    base: float
    new: float
    ratio: float | None
    interval: Interval | None
    p: float | None
    n_base: int
    n_new: int
    verdict: str
    why: str
    cells_base: list[str]
    cells_new: list[str]
    label: str = ""
    flagged: Flagged = NO_FLAGS

    @property
    def quantity(self) -> str:
        """What was measured, in words."""
        name = METRICS[self.metric].name
        return f"{name} ({self.label})" if self.label else name


class Differences(NamedTuple):
    """``environments`` may explain all the rest."""

    environments: list[Differing]
    lines: list[Difference]
    only_base: list[str]
    only_new: list[str]


class _Pair(NamedTuple):
    """The processes of one cell and metric on both sides."""

    title: str
    metric: str
    label: str
    base: list[Manifest]
    new: list[Manifest]

    def values(self, side: Sequence[Manifest]) -> list[float]:
        return [_middle(_labelled(m, self.metric).get(self.label)) for m in side]

    @property
    def flagged(self) -> Flagged:
        return flagged([*self.base, *self.new], self.metric)


def make_side(runs: Sequence[tuple[str, list[Manifest]]], pool: bool = False) -> Side:
    """Raises PoolingError when several runs differ in environment and ``pool`` is not set."""
    every = [manifest for _, manifests in runs for manifest in manifests]
    if not pool:
        first = facts(runs[0][1])
        for name, manifests in runs[1:]:
            found = differing(first, facts(manifests))
            if found:
                told = "; ".join(f"{d.what}: {d.base} against {d.new}" for d in found[:3])
                more = f" and {len(found) - 3} more" if len(found) > 3 else ""
                raise PoolingError(
                    f"runs {runs[0][0]} and {name} come from different environments "
                    f"({told}{more}). Compare them with each other, or pool them all the same: "
                    "--pool"
                )
    return Side([name for name, _ in runs], every, facts(every))


def compare_runs(base: Side, new: Side, margin: float = MARGIN) -> Differences:
    """Every metric that cells on both sides have, corrected for their number."""
    ours, theirs = _by_point(base.manifests), _by_point(new.manifests)
    pairs = [pair for key in ours if key in theirs for pair in _pairs(ours[key], theirs[key])]
    tested = [_p(pair) for pair in pairs]
    known = iter(adjusted([p for p in tested if p is not None]))
    corrected = [None if p is None else next(known) for p in tested]
    return Differences(
        environments=differing(base.facts, new.facts),
        lines=[_judge(pair, p, margin) for pair, p in zip(pairs, corrected, strict=True)],
        only_base=_titles(ours, theirs),
        only_new=_titles(theirs, ours),
    )


def _p(pair: _Pair) -> float | None:
    """None where nothing varies from process to process (sizes, and shares of test images), and
    where the measurements decide nothing.
    """
    if is_exact(pair.metric) or is_proportion(pair.metric) or disqualifying(pair.flagged):
        return None
    return p_value(pair.values(pair.base), pair.values(pair.new))


def _titles(points: dict[bytes, list[Manifest]], others: dict[bytes, list[Manifest]]) -> list[str]:
    """Cells that the other side lacks, or has with another recipe only."""
    known = {_title(found[0].cell) for found in others.values()}
    titles = sorted(_title(points[key][0].cell) for key in points if key not in others)
    return [f"{title} (another recipe)" if title in known else title for title in titles]


def _title(cell: Cell) -> str:
    return msgspec.structs.replace(cell, repeat=0).title


def _by_point(manifests: Sequence[Manifest]) -> dict[bytes, list[Manifest]]:
    """What ran, by everything that a cell is but its repeat and the id of what it starts from."""
    points: dict[bytes, list[Manifest]] = {}
    for manifest in manifests:
        if manifest.status == "ok":
            point = msgspec.structs.replace(manifest.cell, repeat=0, weights_from=None)
            points.setdefault(canonical_json(point), []).append(manifest)
    return points


def _pairs(base: list[Manifest], new: list[Manifest]) -> Iterator[_Pair]:
    for name in COMPARED:
        ours, theirs = ([(m, _labelled(m, name)) for m in side] for side in (base, new))
        for label in dict.fromkeys(label for _, found in ours for label in found):
            sides = [[m for m, found in side if label in found] for side in (ours, theirs)]
            if all(sides):
                yield _Pair(_title(base[0].cell), name, label, *sides)


def _labelled(manifest: Manifest, name: str) -> dict[str, Metric]:
    """The metrics of that name that have a reading, by label: the host's energy by its phase.

    Which GPU of several a cell was given is no part of what was measured.
    """
    read = [metric for metric in manifest.labelled(name) if readings(metric)]
    places = Counter(_OF_ONE_GPU.sub("GPU", metric.label) for metric in read)
    found = {}
    for metric in read:
        place = _OF_ONE_GPU.sub("GPU", metric.label)
        found[place if places[place] == 1 else metric.label] = metric
    return found


def _middle(metric: Metric | None) -> float:
    middle = median(readings(metric)) if metric is not None else None
    assert middle is not None
    return middle


def _judge(pair: _Pair, p: float | None, margin: float) -> Difference:
    base, new = pair.values(pair.base), pair.values(pair.new)
    below, above = statistics.median(base), statistics.median(new)
    why = disturbed(pair.flagged)
    sound = IMPOSSIBLE not in pair.flagged
    interval = ratio_interval(base, new) if sound else None
    if why:
        verdict = UNDECIDED
    elif is_proportion(pair.metric):
        verdict, why = _proportion(pair, below, above)
    elif is_exact(pair.metric):
        verdict, why = _exact(pair, below, above, margin)
    else:
        verdict, why = _verdict(pair, p, interval, above - below, margin)
    return Difference(
        cell=pair.title,
        metric=pair.metric,
        unit=METRICS[pair.metric].unit,
        base=below,
        new=above,
        ratio=above / below if below and sound else None,
        interval=interval,
        p=p,
        n_base=len(base),
        n_new=len(new),
        verdict=verdict,
        why=why,
        cells_base=[m.id for m in pair.base],
        cells_new=[m.id for m in pair.new],
        label=pair.label,
        flagged=pair.flagged,
    )


def _exact(pair: _Pair, base: float, new: float, margin: float) -> tuple[str, str]:
    """What doesn't vary is told to the byte, and judged by the margin like everything else."""
    change = new - base
    if not change:
        return "same", "equal"
    percent = 100 * abs(change) / base
    digits = f"{percent:,.0f}" if percent >= 10 else f"{percent:.2g}"
    told = f"differs by {abs(change):,.10g} {METRICS[pair.metric].unit} ({digits} %)"
    if base / (1 + margin) <= new <= base * (1 + margin):
        return "same", f"{told}, within the margin of {100 * margin:g} %"
    return _word(pair.metric, change), told


def _word(metric: str, change: float) -> str:
    if not change:
        return "same"
    less, more = change_words(METRICS[metric].unit)
    return less if change < 0 else more


def _verdict(
    pair: _Pair, p: float | None, interval: Interval | None, change: float, margin: float
) -> tuple[str, str]:
    if p is None or interval is None:
        few = min(len(pair.base), len(pair.new)) < 2
        return UNDECIDED, ONE_PROCESS if few else "readings of zero"
    if interval.low >= 1 / (1 + margin) and interval.high <= 1 + margin:
        return "same", ""
    if p < SIGNIFICANT:
        return _word(pair.metric, change), ""
    return UNDECIDED, "the difference is within what repeats differ by"


def _proportion(pair: _Pair, base: float, new: float) -> tuple[str, str]:
    """Right answers among test images, whatever the number of processes."""
    if base == new:
        return "same", ""
    sizes = [images_tested(manifest) for manifest in (*pair.base, *pair.new)]
    if None in sizes:
        return UNDECIDED, "the number of test images is not recorded"
    images = min(size for size in sizes if size is not None)
    below, above = share_interval(base * images, images), share_interval(new * images, images)
    if below.high < above.low or above.high < below.low:
        return _word(pair.metric, new - base), ""
    return UNDECIDED, f"{images:,} test images are too few for so small a difference"
