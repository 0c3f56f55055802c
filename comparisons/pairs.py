"""The same cell on two sides: its processes, and the runs that they belong to."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from comparisons.answers import Answers, read_answers
from comparisons.environments import Facts
from comparisons.number_flags import Flagged, flagged
from comparisons.statistics import median, readings
from manifests.cell import Cell, canonical_json
from manifests.manifest import Manifest, Metric
from manifests.metrics import COMPARED

CellFolder = Callable[[str], Path]
"""Where a run keeps what a cell of that id left."""

_OF_ONE_GPU = re.compile(r"GPU \d+")


class Side(NamedTuple):
    """The manifests of one side, of one run or of several.

    ``runs`` has how many of them belong to each run, in order; all to one where it is empty.
    ``folders`` has each run's cells on disk, where that is known.
    """

    names: list[str]
    manifests: list[Manifest]
    facts: Facts
    runs: Sequence[int] = ()
    folders: Sequence[CellFolder] = ()


class Process(NamedTuple):
    """A cell's manifest, the number of its run on this side, and where that run keeps its cells."""

    run: int
    manifest: Manifest
    folder: CellFolder | None = None

    def answers(self) -> Answers | None:
        """To the test images; None where they weren't kept."""
        if self.folder is None:
            return None
        return read_answers(self.folder(self.manifest.id), self.manifest)


class Pair(NamedTuple):
    """The processes of one cell and metric on both sides."""

    title: str
    metric: str
    label: str
    base: list[Process]
    new: list[Process]

    def values(self, side: Sequence[Process]) -> list[float]:
        """One for each process."""
        return [_middle(_labelled(one.manifest, self.metric).get(self.label)) for one in side]

    @property
    def manifests(self) -> list[Manifest]:
        """Of both sides."""
        return [one.manifest for one in (*self.base, *self.new)]

    @property
    def flagged(self) -> Flagged:
        """The flags that are about the metric, on either side."""
        return flagged(self.manifests, self.metric)


class Matched(NamedTuple):
    """``only_base`` and ``only_new`` are cells that the other side lacks."""

    pairs: list[Pair]
    only_base: list[str]
    only_new: list[str]


def match(base: Side, new: Side) -> Matched:
    """Every metric that cells on both sides have."""
    ours, theirs = _by_point(base), _by_point(new)
    pairs = [pair for key in ours if key in theirs for pair in _pairs(ours[key], theirs[key])]
    return Matched(pairs, _titles(ours, theirs), _titles(theirs, ours))


_Points = dict[bytes, list[Process]]


def _titles(points: _Points, others: _Points) -> list[str]:
    """Cells that the other side lacks, or has with another recipe only."""
    known = {_title(found) for found in others.values()}
    titles = sorted(_title(points[key]) for key in points if key not in others)
    return [f"{title} (another recipe)" if title in known else title for title in titles]


def _title(found: Sequence[Process]) -> str:
    return _without_repeat(found[0].manifest.cell).title


def _without_repeat(cell: Cell) -> Cell:
    return msgspec.structs.replace(cell, repeat=0)


def _by_point(side: Side) -> _Points:
    """What ran, by everything that a cell is but its repeat and the id of what it starts from."""
    points: _Points = {}
    for one in _processes(side):
        if one.manifest.status == "ok":
            point = msgspec.structs.replace(_without_repeat(one.manifest.cell), weights_from=None)
            points.setdefault(canonical_json(point), []).append(one)
    return points


def _processes(side: Side) -> Iterator[Process]:
    manifests = iter(side.manifests)
    for run, count in enumerate(side.runs or [len(side.manifests)]):
        folder = side.folders[run] if side.folders else None
        for _ in range(count):
            yield Process(run, next(manifests), folder)


def _pairs(base: list[Process], new: list[Process]) -> Iterator[Pair]:
    for name in COMPARED:
        ours, theirs = ([(p, _labelled(p.manifest, name)) for p in side] for side in (base, new))
        for label in dict.fromkeys(label for _, found in ours for label in found):
            sides = [[p for p, found in side if label in found] for side in (ours, theirs)]
            if all(sides):
                yield Pair(_title(base), name, label, *sides)


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
