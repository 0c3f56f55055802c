"""Reading ``claims.toml``: what the paper says, where, and how it is tested."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NamedTuple

import msgspec

from manifests.documents import DocumentError, read_toml
from manifests.errors import RepliquantError
from manifests.select import nearest
from papers.expressions import ExpressionError, Node, columns_used, parse
from papers.expressions.syntax import Filter
from papers.published import SELECTABLE, PublishedError, PublishedTable, load_published


class UnknownClaimError(RepliquantError, ValueError):
    """No such claim; the message lists those there are."""


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement, its place in the paper, and its test.

    ``test`` is evaluated on the paper's numbers and on ours, with the constant ``tolerance``.
    ``stand_in`` is evaluated on ours only: what a processor can execute of it, which never
    decides the claim. ``tolerances`` are further constants by name. ``read_off`` names the table
    that we took numbers from which the text does not say. ``tiers`` are those whose work is
    enough for it (all when empty). ``untestable`` says why there is no test.
    """

    id: str
    place: str
    text: str
    table: str
    test: str = ""
    tolerance: float | None = None
    tolerances: dict[str, float] = {}
    read_off: str = ""
    stand_in: str = ""
    tiers: list[str] = []
    untestable: str = ""

    @property
    def constants(self) -> dict[str, float]:
        """What its tests may name beside columns, in the order that people are told."""
        own = {} if self.tolerance is None else {"tolerance": self.tolerance}
        return {**own, **self.tolerances}

    @property
    def found_in(self) -> str:
        """Its place, and where we read off what the text leaves open."""
        return f"{self.place}; numbers read off {self.read_off}" if self.read_off else self.place

    @property
    def tests(self) -> dict[str, Node]:
        """The parsed expressions by the name of their field. Raises ExpressionError."""
        texts = {"test": self.test, "stand_in": self.stand_in}
        return {name: parse(text) for name, text in texts.items() if text}


class ClaimsFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``claims.toml``. ``single_process`` is how far off, relatively, one process may be."""

    claim: Annotated[list[Claim], msgspec.Meta(max_length=200)]
    single_process: float = 0.2


class Numbered(NamedTuple):
    """A claim and the name that artifact evaluators give it: C1, C2, ..."""

    number: str
    claim: Claim


def load_claims(study_folder: Path) -> ClaimsFile:
    """All claims of a study, with tests that can be evaluated. Raises PublishedError."""
    path = study_folder / "claims.toml"
    try:
        loaded = read_toml(path, ClaimsFile)
    except DocumentError as error:
        raise PublishedError(str(error)) from error
    tables = {table.file.id: table for table in load_published(study_folder)}
    ids = [claim.id for claim in loaded.claim]
    for claim in loaded.claim:
        if ids.count(claim.id) > 1:
            raise PublishedError(f"{path}: two claims are called {claim.id!r}")
        try:
            _check(claim, tables)
        except ExpressionError as error:
            raise PublishedError(f"{path}: claim {claim.id}: {error}") from error
    return loaded


def numbered(claims: Sequence[Claim]) -> list[Numbered]:
    """C1, C2, ... in the order of the file."""
    return [Numbered(f"C{index}", claim) for index, claim in enumerate(claims, start=1)]


def choose_claims(claims: Sequence[Claim], wanted: str) -> list[Numbered]:
    """The one called ``wanted`` (its id or its number), or all. Raises UnknownClaimError."""
    every = numbered(claims)
    if not wanted:
        return every
    chosen = [item for item in every if wanted.lower() in (item.number.lower(), item.claim.id)]
    if not chosen:
        ids = [claim.id for claim in claims]
        raise UnknownClaimError(
            f"no claim {wanted!r}.{nearest(wanted, ids)} "
            f"Accepted: C1 to C{len(ids)}, or one of: {', '.join(ids)}"
        )
    return chosen


def _check(claim: Claim, tables: dict[str, PublishedTable]) -> None:
    """Every table, column and key that a test names has to be there."""
    _known("table", claim.table, tables)
    for name in claim.tolerances:
        if not name.endswith("_tolerance"):
            raise ExpressionError(f"tolerances: {name!r} has to end with _tolerance")
    if bool(claim.test) == bool(claim.untestable):
        raise ExpressionError("either a test or, under untestable, the reason for none")
    for field, node in claim.tests.items():
        if re.search(r"\btolerance\b", getattr(claim, field)) and claim.tolerance is None:
            raise ExpressionError(f"{field} names a tolerance, and the claim has none")
        for place in columns_used(node):
            _known("table", place.table, tables)
            file = tables[place.table].file
            names = [column.name for column in file.column]
            for wanted in place.filters:
                _known(f"key of {place.table}", wanted.key, file.key)
                _check_values(wanted, tables[place.table])
            if place.column and place.column not in (*claim.constants, *SELECTABLE):
                _known(f"column of {place.table}", place.column, names)


def _check_values(wanted: Filter, table: PublishedTable) -> None:
    """A value that no published row has is a slip of the pen."""
    known = {row.key[wanted.key] for row in table.rows}
    for value in wanted.values if known and wanted.symbol == "==" else ():
        _known(f"{wanted.key} in {table.file.id}", value, sorted(known))


def _known(what: str, name: str, accepted: object) -> None:
    names = [str(one) for one in accepted] if hasattr(accepted, "__iter__") else []
    if name not in names:
        raise ExpressionError(
            f"no {what} {name!r}.{nearest(name, names)} Accepted: {', '.join(names)}"
        )
