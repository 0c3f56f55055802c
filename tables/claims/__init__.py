"""The claims of a paper, in our own words, and whether they hold: ``studies/<id>/claims.toml``."""

from tables.claims.claims import Claim, ClaimsFile, UnknownClaimError, choose_claims, load_claims
from tables.claims.verdicts import Judged, Verdict, count_verdicts, judge

__all__ = [
    "Claim",
    "ClaimsFile",
    "Judged",
    "UnknownClaimError",
    "Verdict",
    "choose_claims",
    "count_verdicts",
    "judge",
    "load_claims",
]
