"""The figures that a paper draws: ``studies/<id>/published/figures.toml``, over its tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from manifests.documents import DocumentError, converted_as_far, read_document
from papers.mistakes import Mistake, Place, as_mistake, refuse
from papers.published import PublishedTable, TableFile

FILE = "published/figures.toml"


class FigureSeries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is drawn of each row of a figure's table.

    column: the column of the table.
    label: what people read in the legend.
    over: the column that it is an improvement over: how many times shorter, or for a rate higher.
    """

    column: str
    label: str
    over: str = ""


class Figure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One figure, or a half of one.

    id: its name in the report.
    title: one line for people.
    place: where it stands in the paper, e.g. ``Figure 12, section 6.2``.
    table: the table whose rows it draws.
    along: the key of the table along its axis: numbers go from left to right, words from top to
        bottom.
    panel: the key that has a panel for each of its values.
    lines: the key that has a line of its own for each of its values.
    scale: of the values.
    note: what has to be said of the figure.
    series: what is drawn of each row.
    """

    id: str
    title: str
    place: str
    table: str
    along: str
    panel: str = ""
    lines: str = ""
    scale: Literal["linear", "log"] = "linear"
    note: str = ""
    series: list[FigureSeries]


class FiguresFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``figures.toml``.

    figure: the paper's figures, in order.
    """

    figure: Annotated[list[Figure], msgspec.Meta(max_length=100)]


def load_figures(study_folder: Path, tables: Sequence[PublishedTable]) -> list[Figure]:
    """None where there is no file. Raises PublishedError."""
    figures, mistakes = read_figures(study_folder, tables)
    refuse(mistakes)
    return figures


def read_figures(
    study_folder: Path, tables: Sequence[PublishedTable]
) -> tuple[list[Figure], list[Mistake]]:
    """The figures as far as they can be read, and everything that is wrong with them."""
    if not (study_folder / FILE).is_file():
        return [], []
    try:
        document = read_document(study_folder / FILE)
    except DocumentError as error:
        return [], [as_mistake(error)]
    file, refused = converted_as_far(document, FiguresFile)
    found = [as_mistake(error) for error in refused]
    if file is None:
        return [], found
    known = {table.file.id: table.file for table in tables}
    return file.figure, [*found, *_mistakes(Place(document), file, known)]


def _mistakes(place: Place, file: FiguresFile, known: dict[str, TableFile]) -> Iterator[Mistake]:
    yield from place.at("figure").twice("figures", [figure.id for figure in file.figure])
    for index, figure in enumerate(file.figure):
        inner = place.at("figure", index, name=f"figure {figure.id}")
        yield from inner.at("table").unknown("table", figure.table, known)
        if figure.table in known:
            yield from _of_figure(inner, figure, known[figure.table])


def _of_figure(place: Place, figure: Figure, table: TableFile) -> Iterator[Mistake]:
    yield from place.at("along").unknown("key", figure.along, table.keys)
    for field in ("panel", "lines"):
        if getattr(figure, field):
            yield from place.at(field).unknown("key", getattr(figure, field), table.keys)
    if not figure.series:
        yield place.at("series").mistake("series is empty: nothing would be drawn")
    columns = {column.name: column for column in table.column}
    measured = [name for name, column in columns.items() if not column.derive]
    for index, series in enumerate(figure.series):
        inner = place.at("series", index, name=f"{place.name}, series {series.label}")
        yield from inner.at("column").unknown(
            "column", series.column, measured if series.over else list(columns)
        )
        if series.over:
            yield from inner.at("over").unknown("column", series.over, measured)
