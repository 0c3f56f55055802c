"""The paper's own tables: ``studies/<id>/published/tables.toml`` and the CSV files beside it."""

from __future__ import annotations

from pathlib import Path

from manifests.documents import DocumentError, converted_as_far, read_document
from papers.csv_rows import read_lines, read_rows
from papers.issue_tests import read_issue_tests
from papers.mistakes import Mistake, Place, PublishedError, as_mistake, refuse
from papers.table_checks import table_mistakes
from papers.table_types import (
    OF_RECIPE,
    SELECTABLE,
    TRAINED_WITH,
    Column,
    Printed,
    PublishedRow,
    PublishedTable,
    TableFile,
    TablesFile,
    Wanted,
)

__all__ = [
    "OF_RECIPE",
    "SELECTABLE",
    "TRAINED_WITH",
    "Column",
    "Printed",
    "PublishedError",
    "PublishedRow",
    "PublishedTable",
    "TableFile",
    "Wanted",
]


def load_published(study_folder: Path) -> list[PublishedTable]:
    """The tables in a study's folder. Raises PublishedError."""
    tables, mistakes = read_published(study_folder)
    refuse(mistakes)
    return tables


def read_published(study_folder: Path) -> tuple[list[PublishedTable], list[Mistake]]:
    """The tables as far as they can be read, and everything that is wrong with them."""
    folder = study_folder / "published"
    try:
        document = read_document(folder / "tables.toml")
    except DocumentError as error:
        if not error.path.exists():
            raise PublishedError(str(error)) from error
        return [], [as_mistake(error)]
    file, refused = converted_as_far(document, TablesFile)
    found = [as_mistake(error) for error in refused]
    if file is None:
        return [], found
    tables: list[PublishedTable] = []
    found += table_mistakes(Place(document), file)
    for index, table in enumerate(file.table):
        place = Place(document, ("table", index), f"table {table.id}")
        rows, wrong = read_rows(table, folder, place)
        issues, also_wrong = read_lines(folder, table.issues, place.at("issues"))
        tests, wrong_tests = read_issue_tests(folder, table.issue_tests, len(issues))
        found += [*wrong, *also_wrong, *wrong_tests]
        tables.append(PublishedTable(table, rows, [line for _, line in issues], tests))
    return tables, found
