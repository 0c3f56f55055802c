"""Reading ``audit.toml``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from manifests.documents import DocumentError, converted_as_far, read_document
from papers.expression_checks import expression_mistakes
from papers.mistakes import Mistake, Place, as_mistake, refuse
from papers.published import PublishedTable, load_published

Sure = Literal["certain", "likely", "worth asking"]
Kind = Literal["derived", "throughput", "monotonic", "granularity", "bound", "relation", "text"]
Size = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers that stand in no table, by the value of a key: names for the rules of ``tables``.

    tables: ids of the tables whose rows get them.
    key: the key column by whose value they are chosen.
    source: where they come from.
    values: numbers by name, by the value of ``key``.
    """

    tables: list[str]
    key: str
    source: str
    values: dict[str, dict[str, float]]


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement that has to be true of the printed numbers.

    id: its name.
    kind: what sort of statement it is: derived, throughput, monotonic, granularity, bound,
        relation or text.
    place: where in the paper the numbers stand.
    rule: the statement in words.
    test: the statement in the language of claims; ``{column}`` stands for each of ``columns``.
    columns: the columns that it is tested for in turn.
    sure: how sure a finding is: certain, likely, or worth asking.
    innocent: how a finding may have come about without an error.
    """

    id: str
    kind: Kind
    place: str
    rule: str
    test: str
    columns: list[str] = []
    sure: Sure
    innocent: str = ""


class Granularity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Accuracies in percent, and how many test images the text states.

    id: its name.
    table: the id of the table.
    columns: the columns with the accuracies.
    stated: how many test images the paper states.
    largest: up to how many images an explanation is searched.
    place: where in the paper the numbers stand.
    sure: how sure a finding is: certain, likely, or worth asking.
    innocent: how a finding may have come about without an error.
    """

    id: str
    table: str
    columns: list[str]
    stated: Size
    largest: Size
    place: str
    sure: Sure = "certain"
    innocent: str = ""


class AuditFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``audit.toml``.

    facts: numbers beside those of the tables.
    check: statements that have to be true of the printed numbers.
    granularity: whether accuracies can arise from the stated number of images.
    """

    facts: Annotated[list[Facts], msgspec.Meta(max_length=50)] = []
    check: Annotated[list[Check], msgspec.Meta(max_length=200)] = []
    granularity: Annotated[list[Granularity], msgspec.Meta(max_length=20)] = []


def load_audit(study_folder: Path, tables: Sequence[PublishedTable] | None = None) -> AuditFile:
    """The checks of a study; none where it has no file. Raises PublishedError."""
    file, mistakes = read_audit(study_folder, tables)
    refuse(mistakes)
    return file


def read_audit(
    study_folder: Path, tables: Sequence[PublishedTable] | None = None
) -> tuple[AuditFile, list[Mistake]]:
    """The checks, and what is wrong with them beside ``tables`` (the folder's own unless given)."""
    path = study_folder / "audit.toml"
    if not path.exists():
        return AuditFile(), []
    try:
        document = read_document(path)
    except DocumentError as error:
        return AuditFile(), [as_mistake(error)]
    file, refused = converted_as_far(document, AuditFile)
    found = [as_mistake(error) for error in refused]
    if file is None:
        return AuditFile(), found
    known = load_published(study_folder) if tables is None else tables
    return file, [*found, *audit_mistakes(Place(document), file, known)]


def audit_mistakes(
    place: Place, file: AuditFile, published: Sequence[PublishedTable]
) -> Iterator[Mistake]:
    """Tables, keys and columns that aren't there, and tests that can't be read."""
    tables = {table.file.id: table for table in published}
    added: dict[str, set[str]] = {}
    for index, facts in enumerate(file.facts):
        yield from _of_facts(place.at("facts", index, name="facts"), facts, tables)
        for table in facts.tables:
            for values in facts.values.values():
                added.setdefault(table, set()).update(values)
    yield from place.at("granularity").twice("checks", [one.id for one in file.granularity])
    for index, one in enumerate(file.granularity):
        named = place.at("granularity", index, name=f"granularity {one.id}")
        yield from _of_granularity(named, one, tables)
    yield from place.at("check").twice("checks", [check.id for check in file.check])
    for index, check in enumerate(file.check):
        named = place.at("check", index, name=f"check {check.id}")
        for column in check.columns or [""]:
            text = check.test.replace("{column}", column)
            yield from expression_mistakes(named.at("test"), text, tables, added)


def _of_facts(
    place: Place, facts: Facts, tables: Mapping[str, PublishedTable]
) -> Iterator[Mistake]:
    for name in facts.tables:
        yield from place.at("tables").unknown("table", name, list(tables))
        if name in tables:
            yield from place.at("key").unknown(f"key of {name}", facts.key, tables[name].file.keys)


def _of_granularity(
    place: Place, one: Granularity, tables: Mapping[str, PublishedTable]
) -> Iterator[Mistake]:
    yield from place.at("table").unknown("table", one.table, list(tables))
    if one.table in tables:
        names = [column.name for column in tables[one.table].file.column]
        for name in one.columns:
            yield from place.at("columns").unknown(f"column of {one.table}", name, names)
