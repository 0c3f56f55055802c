"""Reading ``audit.toml``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec

from manifests.documents import DocumentError, read_toml
from papers.published import PublishedError

Sure = Literal["certain", "likely", "worth asking"]
Kind = Literal["derived", "throughput", "monotonic", "granularity", "bound", "relation", "text"]
Size = Annotated[int, msgspec.Meta(ge=1, le=100_000)]


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Numbers that stand in no table, by the value of a key: names for the rules of ``tables``.

    ``source`` says where they come from.
    """

    tables: list[str]
    key: str
    source: str
    values: dict[str, dict[str, float]]


class Check(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A statement that has to be true of the printed numbers.

    ``{column}`` in ``test`` stands for each of ``columns`` in turn.
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
    """Accuracies in percent, and how many test images the text states."""

    id: str
    table: str
    columns: list[str]
    stated: Size
    largest: Size
    place: str
    sure: Sure = "certain"
    innocent: str = ""


class AuditFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``audit.toml``."""

    facts: Annotated[list[Facts], msgspec.Meta(max_length=50)] = []
    check: Annotated[list[Check], msgspec.Meta(max_length=200)] = []
    granularity: Annotated[list[Granularity], msgspec.Meta(max_length=20)] = []


def load_audit(study_folder: Path) -> AuditFile:
    """The checks of a study; none where it has no file. Raises PublishedError."""
    path = study_folder / "audit.toml"
    if not path.exists():
        return AuditFile()
    try:
        return read_toml(path, AuditFile)
    except DocumentError as error:
        raise PublishedError(str(error)) from error
