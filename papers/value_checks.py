"""Values in tables that no cell of the study has: a misspelt technique, model or key."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from manifests.documents import read_document
from manifests.features import features_of
from papers.cell_group import CellGroup
from papers.csv_rows import read_lines
from papers.mistakes import Mistake, Place, no_such
from papers.study_types import Study
from papers.table_types import TRAINED_WITH, PublishedTable, TableFile, Wanted

_Values = Mapping[str, Collection[str]]


def cell_values(study: Study) -> dict[str, list[str]]:
    """What the study's cells have in each field that only so many values are possible for."""
    axes, groups = study.axes, study.cells
    techniques = [one for group in groups for one in group.technique]
    found: dict[str, list[object]] = {
        "framework": [one for group in groups for one in group.framework],
        "technique": [*techniques],
        TRAINED_WITH: [one for g in groups if g.task == "train" for one in g.technique],
        "task": [group.task for group in groups],
        "model": [one for group in groups for one in group.model or [axes.model]],
        "dataset": [
            *study.datasets,
            *(tier.dataset for tier in study.tiers.values() if tier.dataset),
            *(group.own_dataset for group in groups if group.own_dataset),
        ],
        "image_size": [*study.sizes().values(), *_in_place("image_size", groups)],
        "batch_size": [
            *(one for g in groups for one in g.batch_size or [axes.batch_size]),
            *_in_place("batch_size", groups),
        ],
        "seed": [axes.seed, *_in_place("seed", groups)],
        "device": [one for group in groups for one in group.device or ["cpu"]],
        "variant": [one for group in groups for one in group.variant or [""]],
        "feature": [one for group in groups for one in features_of(group.feature or [""])],
        "protocol": [*study.protocols],
        "tier": [*study.tiers],
    }
    return {name: list(dict.fromkeys(map(str, values))) for name, values in found.items()}


def _in_place(axis: str, groups: Sequence[CellGroup]) -> Iterator[int]:
    """What groups and their tiers have of an axis in place of the study's own value."""
    for group in groups:
        for values in (group, *group.instead.values()):
            yield from getattr(values, axis) or ()


def value_mistakes(
    folder: Path, study: Study, tables: Sequence[PublishedTable]
) -> Iterator[Mistake]:
    """Of the tables that stand in the study's own folder."""
    if not tables:
        return
    document = read_document(folder / "published" / "tables.toml")
    own = [entry.get("id") for entry in document.data.get("table", []) if isinstance(entry, dict)]
    known = cell_values(study)
    for table in tables:
        if table.file.id not in own:
            continue
        place = Place(document, ("table", own.index(table.file.id)), f"table {table.file.id}")
        if table.file.experiment:
            named = place.at("experiment")
            yield from named.unknown("experiment", table.file.experiment, study.experiments())
        yield from _of_selections(place, table.file, known, study)
        yield from _of_rows(place, table.file, folder / "published", known)


def _of_selections(
    place: Place, table: TableFile, known: _Values, study: Study
) -> Iterator[Mistake]:
    """What is selected has to be there: a selection that chooses nothing has no purpose."""
    yield from _of_wanted(place.at("select", name=f"{place.name}, select"), table.select, known)
    for index, column in enumerate(table.column):
        name = f"{place.name}, column {column.name}, select"
        for framework, wanted in column.select.items():
            inner = place.at("column", index, "select", framework, name=name)
            yield from inner.unknown("framework", framework, ["any", *study.images])
            yield from _of_wanted(inner, wanted, known)
        inner = place.at("column", index, "instead", name=f"{place.name}, column {column.name}")
        yield from _of_wanted(inner, column.instead, known)


def _of_wanted(place: Place, wanted: Wanted, known: _Values) -> Iterator[Mistake]:
    for field, value in wanted.items():
        for one in value if isinstance(value, list) else [value]:
            if field in known:
                yield from place.unknown(field, str(one), known[field])


def _of_rows(place: Place, table: TableFile, folder: Path, known: _Values) -> Iterator[Mistake]:
    """A paper may print what the study doesn't run: a mistake is what is nearly something else."""
    path = folder / table.data
    for number, line in read_lines(folder, table.data, place)[0]:
        for field in table.key:
            value, accepted = line.get(field, ""), known.get(field)
            if accepted is None or value in accepted or not value.strip():
                continue
            near = not value.isdigit() and get_close_matches(value, accepted, n=1, cutoff=0.5)
            yield Mistake(path, number, no_such(field, value, accepted), remark=not near)
