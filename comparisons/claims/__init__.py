"""The claims of a paper, in our own words, and whether they hold: ``studies/<id>/claims.toml``."""

from comparisons.claims.verdicts import Judged, Verdict, count_verdicts, judge
from papers.claims import Claim, ClaimsFile, UnknownClaimError, choose_claims, load_claims

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
