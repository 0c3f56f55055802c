"""How measuring until decided ended, for people and as data."""

from __future__ import annotations

from services.until_decided import Ending


def ending_lines(ending: Ending) -> list[str]:
    """A line on how it ended, and one for each claim that stays open, with what would decide it."""
    lines = [ending.words]
    for claim in ending.open:
        parts = [part for part in (claim.reason, claim.would_decide) if part]
        lines.append(f"{claim.number} stays open: {'; '.join(parts)}")
    return lines


def ending_data(ending: Ending) -> dict[str, object]:
    """As ``repliquant run --json`` has it."""
    return {
        "seconds": ending.budget_s,
        "spent_s": round(ending.spent_s, 1),
        "ended": ending.why,
        "quadruples": ending.quadruples,
        "open": [
            {"claim": c.number, "reason": c.reason, "would_decide": c.would_decide}
            for c in ending.open
        ],
    }
