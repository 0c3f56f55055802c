"""Which flags stand behind a number, and of which cells."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from manifests.flags import IMPOSSIBLE, disqualifies, flags_of, impossible_in, voids
from manifests.manifest import Manifest, Metric

Flagged = dict[str, list[str]]
"""A flag's name to the ids of the cells that carry it."""

NO_FLAGS: Flagged = {}

_NAMED_CELLS = 3


def flagged(manifests: Iterable[Manifest], metric: str) -> Flagged:
    """The flags that are about a metric; those in alphabetical order, the cells in the order given.

    Samples that can't be are flagged here, whatever the manifest says of them.
    """
    found: Flagged = {}
    for manifest in manifests:
        names = {*flags_of(manifest, metric)}
        if any(impossible_in(manifest, one) for one in manifest.labelled(metric)):
            names.add(IMPOSSIBLE)
        for name in names:
            found.setdefault(name, []).append(manifest.id)
    return merged([found])


def forbidding(manifest: Manifest, metric: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The flags for which a metric decides nothing: what disturbed it, and what spoils it."""
    if not manifest.flags:
        return (), ()
    names = [name for name in flags_of(manifest, metric) if disqualifies(name)]
    outside = tuple(name for name in names if voids(name))
    return outside, tuple(name for name in names if not voids(name))


def merged(parts: Iterable[Mapping[str, list[str]]]) -> Flagged:
    """Of several numbers; each cell once."""
    found: dict[str, dict[str, None]] = {}
    for part in parts:
        for name, cells in part.items():
            found.setdefault(name, {}).update(dict.fromkeys(cells))
    return {name: list(found[name]) for name in sorted(found)}


def disqualifying(found: Mapping[str, list[str]]) -> Flagged:
    """Those on which no verdict can rest."""
    return {name: cells for name, cells in found.items() if disqualifies(name)}


def named(found: Mapping[str, list[str]]) -> str:
    """``busy-machine (cell 1f5dbd8e2d16), drift (cells ...)``."""
    return ", ".join(f"{name} ({_cells(cells)})" for name, cells in found.items())


def disturbed(found: Mapping[str, list[str]]) -> str:
    """Why no verdict rests on these, in words; "" where nothing forbids one."""
    reasons = disqualifying(found)
    return f"rests on flagged measurements: {named(reasons)}" if reasons else ""


def refused(manifest: Manifest, metric: Metric) -> str:
    """The state of a number that can't be; "" for one that can."""
    told = impossible_in(manifest, metric)
    return f"impossible: {told}" if told else ""


def _cells(cells: list[str]) -> str:
    more = len(cells) - _NAMED_CELLS
    shown = ", ".join(cells[:_NAMED_CELLS]) + (f" and {more:,} more" if more > 0 else "")
    return f"cell{'s' if len(cells) > 1 else ''} {shown}"
