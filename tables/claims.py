"""The claims of a paper, in our own words: ``studies/<id>/claims.toml``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from manifests.documents import DocumentError, read_toml
from tables.published import PublishedError


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement, its place in the paper, and the table that it is about."""

    id: str
    place: str
    text: str
    table: str


class _ClaimsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    claim: list[Claim]


def load_claims(study_folder: Path) -> list[Claim]:
    """All claims of a study. Raises PublishedError."""
    try:
        return read_toml(study_folder / "claims.toml", _ClaimsFile).claim
    except DocumentError as error:
        raise PublishedError(str(error)) from error
