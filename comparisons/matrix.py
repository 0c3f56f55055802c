"""The support matrix: which feature each technique quantizes, from the manifests of probes.

Nothing is kept beside the manifests: an outcome is what a probe's manifest says, or, where its
process ended without a word of its own, how it ended.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from manifests.features import FEATURES
from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from manifests.probe_record import AS_PROMISED, Probe
from manifests.runner_files import readable_frameworks

PROBE = "probe"
_BY_STATUS = {"timeout": "timeout", "crashed": "crashed", "oom": "crashed"}
NOT_RUN = ""
_QUANTIZERS = ("torchao", "tensorflow-model-optimization", "nncf")


class Column(NamedTuple):
    """One technique of one framework; ``environment`` is another than the study's own."""

    framework: str
    technique: str
    variant: str
    device: str
    environment: str = ""

    @property
    def title(self) -> str:
        """For people, e.g. ``pytorch ptq-fx``."""
        device = self.device if self.device != "cpu" else ""
        words = (self.framework, self.technique, self.variant, device, self.environment)
        return " ".join(word for word in words if word)


class Entry(NamedTuple):
    """One outcome; ``outcome`` is empty for a cell that hasn't run or can't run here.

    ``words`` are the framework's own where it refused, else why there is no outcome.
    """

    feature: str
    column: Column
    outcome: str
    cell: str
    words: str
    probe: Probe | None
    versions: dict[str, str]


class Matrix(NamedTuple):
    """Entries by feature and column; both in the order in which they are shown."""

    features: list[str]
    columns: list[Column]
    entries: dict[tuple[str, Column], Entry]

    @property
    def filled(self) -> int:
        """How many of the planned entries have an outcome."""
        return sum(bool(entry.outcome) for entry in self.entries.values())

    def at(self, feature: str, column: Column) -> Entry | None:
        """None where that isn't planned."""
        return self.entries.get((feature, column))


def support_matrix(planned: Iterable[PlannedCell], manifests: Iterable[Manifest]) -> Matrix:
    """Of all planned probes; the first process of each stands for it."""
    by_id = {manifest.id: manifest for manifest in manifests}
    found: dict[tuple[str, Column], Entry] = {}
    for item in planned:
        cell = item.cell
        if cell.task != PROBE or cell.repeat:
            continue
        column = Column(cell.framework, cell.technique, cell.variant, cell.device, cell.environment)
        entry = _entry(item, column, by_id.get(item.id))
        found[cell.feature, column] = entry
    return _ordered(found)


def chosen(
    matrix: Matrix,
    frameworks: Sequence[str] = (),
    techniques: Sequence[str] = (),
    features: Sequence[str] = (),
) -> Matrix:
    """The part of it with these; an empty list takes all."""
    return _ordered(
        {
            (feature, column): entry
            for (feature, column), entry in matrix.entries.items()
            if (not frameworks or column.framework in frameworks)
            and (not techniques or column.technique in techniques)
            and (not features or feature in features)
        }
    )


def works(entry: Entry) -> bool:
    """Whether the feature's own operation ran in the type that the technique promises."""
    return entry.outcome in AS_PROMISED


def works_in(matrix: Matrix, name: str) -> set[str]:
    """The features that work by some technique of a framework, or by a technique, of that name."""
    return {
        entry.feature
        for entry in matrix.entries.values()
        if works(entry) and name in (entry.column.framework, entry.column.technique)
    }


def names(matrix: Matrix) -> list[str]:
    """What ``works_in`` can be asked for."""
    frameworks = dict.fromkeys(column.framework for column in matrix.columns)
    return list(dict.fromkeys([*frameworks, *(column.technique for column in matrix.columns)]))


def counts(matrix: Matrix) -> dict[str, int]:
    """How often each outcome occurs, the most frequent first; without those that haven't run."""
    found = Counter(entry.outcome for entry in matrix.entries.values() if entry.outcome)
    return dict(found.most_common())


def _entry(item: PlannedCell, column: Column, manifest: Manifest | None) -> Entry:
    if manifest is None:
        return Entry(item.cell.feature, column, NOT_RUN, item.id, "not run", None, {})
    probe = manifest.probe
    outcome = probe.outcome if probe else _BY_STATUS.get(manifest.status, NOT_RUN)
    words = (probe.words if probe else "") or manifest.reason
    return Entry(item.cell.feature, column, outcome, item.id, words, probe, _versions(manifest))


def _versions(manifest: Manifest) -> dict[str, str]:
    """Of the framework and what it quantizes with."""
    named = readable_frameworks().get(manifest.cell.framework)
    packages = manifest.environment.packages
    wanted = [*named.packages, *_QUANTIZERS] if named else list(packages)
    return {name: packages[name] for name in wanted if name in packages}


def _ordered(entries: dict[tuple[str, Column], Entry]) -> Matrix:
    features = {feature for feature, _ in entries}
    known = [name for name in FEATURES if name in features]
    columns = list(dict.fromkeys(column for _, column in entries))
    return Matrix([*known, *sorted(features.difference(known))], columns, entries)


def begun(matrix: Matrix) -> Matrix:
    """Without the techniques of which nothing has run."""
    there = {entry.column for entry in matrix.entries.values() if entry.outcome}
    return _ordered({key: entry for key, entry in matrix.entries.items() if key[1] in there})
