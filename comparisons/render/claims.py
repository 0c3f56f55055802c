"""Verdicts on claims as text: Markdown, JSON, and the table for LaTeX."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comparisons.claims import Judged, Verdict
from comparisons.number_flags import named
from comparisons.render import markdown, values

WHY_LIMIT = 600
HEADER = ["claim", "the paper says", "place", "its own numbers", "measured", "why"]


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
        parts.append(f"stand-in: {judged.stand_in.why}")
    if judged.measured.why:
        parts.insert(0, judged.measured.why)
    if judged.published.state not in ("holds", "not printed"):
        parts.append(f"printed: {judged.published.why}")
    told = flags(judged)
    if told:
        parts.append(f"flags: {told}")
    return "; ".join(parts)


def flags(judged: Judged) -> str:
    """The flags of the numbers behind it that no verdict names already, with their cells."""
    told = " ".join(v.why for v in (judged.measured, judged.stand_in) if v is not None)
    return named({f: cells for f, cells in judged.flagged.items() if f"{f} (cell" not in told})


def verdicts(judged: Judged) -> list[tuple[str, str]]:
    """On what a claim was judged, and what came of it with the numbers."""
    told = [
        ("on the paper's numbers", judged.published),
        ("on this run", judged.measured),
        ("stand-in on this run", judged.stand_in),
    ]
    return [(label, f"{item.state}: {item.why}") for label, item in told if item is not None]


def details(judged: Judged) -> list[tuple[str, str]]:
    """The test, the verdicts with their numbers, and the cells, each with its name."""
    claim = judged.claim
    found = [("test", " ".join(claim.test.split()))] if claim.test else []
    found += [(name.replace("_", " "), f"{value:g}") for name, value in claim.constants.items()]
    found += [("stand-in", " ".join(claim.stand_in.split()))] if claim.stand_in else []
    found += verdicts(judged)
    found += [("flags", named(judged.flagged))] if judged.flagged else []
    return [*found, ("cells", ", ".join(judged.cells))] if judged.cells else found


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
            "published": _verdict(judged.published),
            "measured": _verdict(judged.measured),
            "stand_in": _verdict(judged.stand_in),
            "cells": judged.cells,
            "flags": judged.flagged,
        }
        for judged in claims
    ]


def _verdict(verdict: Verdict | None) -> dict[str, str] | None:
    return None if verdict is None else {"verdict": verdict.state, "why": verdict.why}
