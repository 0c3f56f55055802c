"""Two runs cell by cell: same, faster, slower, or undecided; and their environments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from comparisons.environments import Differing, differing, facts
from comparisons.intervals import Interval, adjusted
from comparisons.number_flags import NO_FLAGS, Flagged, disturbed
from comparisons.observations import Unit
from comparisons.pair_verdicts import (
    UNDECIDED,
    Evidence,
    exact,
    share_of_images,
    timed,
    verdict,
)
from comparisons.pairs import CellFolder, Pair, Side, match
from manifests.errors import RepliquantError
from manifests.flags import IMPOSSIBLE
from manifests.manifest import Manifest
from manifests.metrics import METRICS, is_exact, is_proportion

MARGIN = 0.02
"""Sides whose ratio certainly lies this near to 1 are the same."""


class PoolingError(RepliquantError, ValueError):
    """Runs of one side come from different environments."""


class Difference(NamedTuple):
    """One metric of one cell. ``ratio`` is new over base, ``p`` after the correction.

    ``label`` tells apart metrics of one name. ``flagged`` has the cells of each flag of both sides.
    ``n_base`` and ``n_new`` count observations, which are processes, runs, or processes that were
    measured in turn (``observed``).
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
    observed: Unit = "process"

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


def make_side(
    runs: Sequence[tuple[str, list[Manifest]]],
    pool: bool = False,
    folders: Sequence[CellFolder] = (),
) -> Side:
    """Raises PoolingError when several runs differ in environment and ``pool`` is not set.

    ``folders`` has for each run where its cells lie, in which answers to test images are found.
    """
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
    counts = [len(manifests) for _, manifests in runs]
    return Side([name for name, _ in runs], every, facts(every), counts, folders)


def compare_runs(base: Side, new: Side, margin: float = MARGIN) -> Differences:
    """Every metric that cells on both sides have, corrected for their number."""
    matched = match(base, new)
    found = [_evidence(pair) for pair in matched.pairs]
    tested = [_tested(pair, one) for pair, one in zip(matched.pairs, found, strict=True)]
    known = iter(adjusted([p for p in tested if p is not None]))
    corrected = [None if p is None else next(known) for p in tested]
    lines = zip(matched.pairs, found, corrected, strict=True)
    return Differences(
        environments=differing(base.facts, new.facts),
        lines=[_judge(pair, one, p, margin) for pair, one, p in lines],
        only_base=matched.only_base,
        only_new=matched.only_new,
    )


def _evidence(pair: Pair) -> Evidence:
    return share_of_images(pair) if is_proportion(pair.metric) else timed(pair)


def _tested(pair: Pair, found: Evidence) -> float | None:
    """None where nothing varies, and where the measurements decide nothing."""
    return None if is_exact(pair.metric) or disturbed(pair.flagged) else found.p


def _judge(pair: Pair, found: Evidence, p: float | None, margin: float) -> Difference:
    sound = IMPOSSIBLE not in pair.flagged
    why = disturbed(pair.flagged)
    if why:
        word = UNDECIDED
    elif is_exact(pair.metric):
        word, why = exact(pair, margin)
    else:
        word, why = verdict(pair, found, p, margin)
    return Difference(
        cell=pair.title,
        metric=pair.metric,
        unit=METRICS[pair.metric].unit,
        base=found.base,
        new=found.new,
        ratio=found.new / found.base if found.base and sound else None,
        interval=found.interval if sound else None,
        p=p,
        n_base=len(found.observed.base),
        n_new=len(found.observed.new),
        verdict=word,
        why=why,
        cells_base=[one.manifest.id for one in pair.base],
        cells_new=[one.manifest.id for one in pair.new],
        label=pair.label,
        flagged=pair.flagged,
        observed=found.observed.unit,
    )
