"""Reading ``claims.toml``: what the paper says, where, and how it is tested."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import msgspec

from manifests.documents import DocumentError, converted_as_far, read_document
from manifests.errors import RepliquantError
from manifests.suggest import nearest
from papers.expression_checks import expression_mistakes
from papers.expressions import Node, parse
from papers.mistakes import Mistake, Place, PublishedError, as_mistake, refuse
from papers.published import PublishedTable, load_published

Dependence = Literal["hardware", "data", "recipe", "versions"]
DEPENDENCES: tuple[Dependence, ...] = ("hardware", "data", "recipe", "versions")


_GONE = "single_process"
_GONE_WHY = (
    "single_process has no effect: one process alone decides only what is exact. Take it out"
)


class UnknownClaimError(RepliquantError, ValueError):
    """No such claim; the message lists those there are."""


class Claim(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One statement, its place in the paper, and its test.

    id: its name; C1, C2, ... are numbers in the order of the file.
    place: where in the paper it stands.
    text: what the paper says, in our own words.
    short: the same in at most eight words, for lists of verdicts; taken from the text when left
        out.
    table: the id of the table that it is shown beside.
    test: what is evaluated on the paper's numbers and on ours (docs/claims.md has the language).
    tolerance: the constant of that name in the tests.
    tolerances: further constants by name, each ending with ``_tolerance``.
    read_off: the table that we took numbers from which the text does not say.
    stand_in: a test that is evaluated on ours only: what a processor can execute of it, which
        never decides the claim.
    tiers: those whose work is enough for it; all when empty.
    stand_in_tiers: those whose work is enough for the stand-in; the same when empty.
    untestable: why there is no test.
    depends: what of the paper's surroundings has to be the same for its result to be reproduced,
        or not, rather than to hold here, or not: hardware, data, recipe, versions.
    """

    id: str
    place: str
    text: str
    short: str = ""
    table: str
    test: str = ""
    tolerance: float | None = None
    tolerances: dict[str, float] = {}
    read_off: str = ""
    stand_in: str = ""
    tiers: list[str] = []
    stand_in_tiers: list[str] = []
    untestable: str = ""
    depends: list[Dependence] = msgspec.field(default_factory=lambda: list(DEPENDENCES))

    def too_little(self, test: str, tier: str) -> str:
        """Why a tier's work isn't enough for the test of that field, if it isn't."""
        enough = (test == "stand_in" and self.stand_in_tiers) or self.tiers
        if not enough or tier in enough:
            return ""
        return f"tier {tier} spends too little for it; needs {' or '.join(enough)}"

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
    """``claims.toml``.

    claim: the claims, in order.
    """

    claim: Annotated[list[Claim], msgspec.Meta(max_length=200)]


class Numbered(NamedTuple):
    """A claim and the name that artifact evaluators give it: C1, C2, ..."""

    number: str
    claim: Claim


def load_claims(study_folder: Path, tables: Sequence[PublishedTable] | None = None) -> ClaimsFile:
    """All claims of a study, with tests that can be evaluated. Raises PublishedError."""
    file, mistakes = read_claims(study_folder, tables)
    refuse(mistakes)
    return file


def read_claims(
    study_folder: Path, tables: Sequence[PublishedTable] | None = None
) -> tuple[ClaimsFile, list[Mistake]]:
    """The claims, and what is wrong with them beside ``tables`` (the folder's own unless given).

    Raises PublishedError where there is no such file.
    """
    path = study_folder / "claims.toml"
    try:
        document = read_document(path)
    except DocumentError as error:
        if not path.exists():
            raise PublishedError(str(error)) from error
        return ClaimsFile(claim=[]), [as_mistake(error)]
    rest = {name: value for name, value in document.data.items() if name != _GONE}
    file, refused = converted_as_far(document, ClaimsFile, rest)
    found = [as_mistake(error) for error in refused]
    if _GONE in document.data:
        found.append(Place(document).at(_GONE).mistake(_GONE_WHY, remark=True))
    if file is None:
        return ClaimsFile(claim=[]), found
    known = load_published(study_folder) if tables is None else tables
    return file, [*found, *claim_mistakes(Place(document), file, known)]


def claim_mistakes(
    place: Place, file: ClaimsFile, published: Sequence[PublishedTable]
) -> Iterator[Mistake]:
    """Every table, column and key that a test names has to be there."""
    tables = {table.file.id: table for table in published}
    yield from place.at("claim").twice("claims", [claim.id for claim in file.claim])
    for index, claim in enumerate(file.claim):
        yield from _of_claim(place.at("claim", index, name=f"claim {claim.id}"), claim, tables)


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


def _of_claim(
    place: Place, claim: Claim, tables: Mapping[str, PublishedTable]
) -> Iterator[Mistake]:
    yield from place.at("table").unknown("table", claim.table, list(tables))
    for field in ("id", "text", "place"):
        if not getattr(claim, field).strip():
            yield place.at(field).mistake(f"{field} is empty", remark=field != "id")
    for name in claim.tolerances:
        if not name.endswith("_tolerance"):
            told = f"tolerances: {name!r} has to end with _tolerance"
            yield place.at("tolerances").mistake(told)
    if bool(claim.test) == bool(claim.untestable):
        yield place.mistake("either a test or, under untestable, the reason for none")
    for field in ("test", "stand_in"):
        text = getattr(claim, field)
        if re.search(r"\btolerance\b", text) and claim.tolerance is None:
            yield place.at(field).mistake(f"{field} names a tolerance, and the claim has none")
            continue
        if text:
            yield from expression_mistakes(place.at(field), text, tables, constants=claim.constants)
