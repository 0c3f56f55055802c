"""Verdicts on claims as text: Markdown, JSON, and the table for LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comparisons.claims import Judged, Verdict
from comparisons.claims.setting import Deviation
from comparisons.claims.verdicts import NO_NUMBER
from comparisons.number_flags import named
from comparisons.render import markdown, values
from papers.expressions.quantities import HOLDS

WHY_LIMIT = 600
HEADER = ["claim", "the paper says", "place", "published", "measured", "evidence"]


def row(judged: Judged) -> list[str]:
    """In the order of HEADER."""
    return [
        judged.number,
        judged.claim.text,
        judged.claim.found_in,
        judged.published.state,
        measured(judged),
        values.one_line(why(judged), WHY_LIMIT),
    ]


def measured(judged: Judged) -> str:
    """The verdict on ours, and the stand-in's beside it where there is one."""
    if judged.stand_in is None:
        return judged.measured.state
    return f"{judged.measured.state}; stand-in: {judged.stand_in.state}"


def why(judged: Judged) -> str:
    """The numbers of what was measured, else those of the paper."""
    parts = []
    if judged.stand_in is not None and judged.stand_in.why != judged.measured.why:
        parts.append(f"stand-in: {told(judged.stand_in)}")
    if judged.measured.why:
        parts.insert(0, told(judged.measured))
    if judged.published.state not in (HOLDS, NO_NUMBER):
        parts.append(f"printed: {judged.published.why}")
    flagged = flags(judged)
    if flagged:
        parts.append(f"flags: {flagged}")
    return "; ".join(parts)


def told(verdict: Verdict) -> str:
    """The numbers, with what keeps them from deciding and what would decide."""
    parts = [verdict.why]
    if verdict.reason and verdict.reason not in verdict.why:
        parts.append(verdict.reason)
    if verdict.would_decide:
        parts.append(f"would decide: {verdict.would_decide}")
    return "; ".join(parts)


def flags(judged: Judged) -> str:
    """The flags of the numbers behind it that no verdict names already, with their cells."""
    words = " ".join(v.why for v in (judged.measured, judged.stand_in) if v is not None)
    return named({f: cells for f, cells in judged.flagged.items() if f"{f} (cell" not in words})


def verdicts(judged: Judged) -> list[tuple[str, str]]:
    """On what a claim was judged, and what came of it with the numbers."""
    found = [
        ("on the paper's numbers", judged.published),
        ("on this run", judged.measured),
        ("stand-in on this run", judged.stand_in),
    ]
    return [(label, f"{item.state}: {told(item)}") for label, item in found if item is not None]


def details(judged: Judged) -> list[tuple[str, str]]:
    """The test, the verdicts with their numbers, and the cells, each with its name."""
    claim = judged.claim
    found = [("test", " ".join(claim.test.split()))] if claim.test else []
    found += [(name.replace("_", " "), f"{value:g}") for name, value in claim.constants.items()]
    found += [("stand-in", " ".join(claim.stand_in.split()))] if claim.stand_in else []
    found += verdicts(judged)
    found += [("differs from the paper", "; ".join(map(str, differs(judged))))] * bool(
        differs(judged)
    )
    found += [("flags", named(judged.flagged))] if judged.flagged else []
    return [*found, ("cells", ", ".join(judged.cells))] if judged.cells else found


def differs(judged: Judged) -> tuple[Deviation, ...]:
    """What of the paper's surroundings the claim depends on and this run doesn't have."""
    stand_in = judged.stand_in.differs if judged.stand_in is not None else ()
    return judged.measured.differs or stand_in


def render_markdown(claims: Sequence[Judged], scope: str) -> str:
    """One table; ends with a newline."""
    return markdown.simple_table(f"Claims · {scope}", HEADER, [row(judged) for judged in claims])


def plain(claims: Sequence[Judged]) -> list[dict[str, Any]]:
    """For JSON."""
    return [
        {
            "number": judged.number,
            "id": judged.claim.id,
            "place": judged.claim.place,
            "text": judged.claim.text,
            "test": judged.claim.test.strip(),
            "tolerance": judged.claim.tolerance,
            "tolerances": judged.claim.tolerances,
            "read_off": judged.claim.read_off,
            "depends": judged.claim.depends,
            **_verdict(judged.measured),
            "published": _verdict(judged.published),
            "stand_in": _verdict(judged.stand_in) if judged.stand_in is not None else None,
            "cells": judged.cells,
            "flags": judged.flagged,
        }
        for judged in claims
    ]


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {
        "verdict": verdict.state,
        "evidence": verdict.evidence,
        "why": verdict.why,
        "reason": verdict.reason,
        "differs": [one._asdict() for one in verdict.differs],
        "would_decide": verdict.would_decide,
    }
