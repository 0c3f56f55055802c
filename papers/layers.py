"""Tables, claims and checks of a study laid over those of the one that it extends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from papers.audit import AuditFile, Check, Granularity
from papers.claims import Claim, ClaimsFile
from papers.figures import Figure
from papers.published import PublishedTable

T = TypeVar("T")


def tables_over(base: list[PublishedTable], own: list[PublishedTable]) -> list[PublishedTable]:
    """Those of one id in the place of the other's, further ones after them."""
    return _over(base, own, lambda table: table.file.id)


def claims_over(base: ClaimsFile | None, own: ClaimsFile | None) -> ClaimsFile:
    """By id, like tables."""
    if base is None or own is None:
        return own or base or ClaimsFile(claim=[])
    return ClaimsFile(claim=_over(base.claim, own.claim, _claim_id))


def figures_over(base: list[Figure], own: list[Figure]) -> list[Figure]:
    """By id, like tables."""
    return _over(base, own, lambda figure: figure.id)


def audit_over(base: AuditFile, own: AuditFile) -> AuditFile:
    """Checks by id, like tables; facts add up."""
    return AuditFile(
        facts=[*base.facts, *own.facts],
        check=_over(base.check, own.check, _check_id),
        granularity=_over(base.granularity, own.granularity, _check_id),
    )


def _claim_id(claim: Claim) -> str:
    return claim.id


def _check_id(check: Check | Granularity) -> str:
    return check.id


def _over(base: Sequence[T], own: Sequence[T], id_of: Callable[[T], str]) -> list[T]:
    by_id = {id_of(one): one for one in (*base, *own)}
    return list(by_id.values())
