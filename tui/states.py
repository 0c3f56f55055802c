"""How screens write states, so that colour is never the only sign."""

from __future__ import annotations

from tui.widgets.rows import Field

_SIGNS: dict[str, tuple[str, str]] = {
    "ok": ("●", "good"),
    "waiting": ("○", "dim"),
    "queued": ("◌", "dim"),
    "running": ("▶", "accent"),
    "unsupported": ("–", "dim"),
    "can't run": ("–", "dim"),
    "oom": ("✗", "bad"),
    "crashed": ("✗", "bad"),
    "timeout": ("✗", "bad"),
    "cancelled": ("◦", "warn"),
}
_WORDS = {"waiting": "to do", "oom": "out of memory"}

_VERDICTS = {
    "holds": ("●", "good"),
    "reproduced": ("●", "good"),
    "holds here": ("●", "good"),
    "does not hold": ("✗", "bad"),
    "not reproduced": ("✗", "bad"),
    "does not hold here": ("✗", "bad"),
    "undecided": ("?", "warn"),
    "not measured": ("○", "dim"),
    "untestable": ("–", "dim"),
    "no number": ("–", "dim"),
}


def state(name: str) -> Field:
    """A sign, a word and a tone."""
    sign, tone = _SIGNS.get(name, ("?", "dim"))
    return Field(f"{sign} {_WORDS.get(name, name)}", tone)


def verdict(name: str) -> Field:
    """A sign, the verdict, and a tone."""
    sign, tone = _VERDICTS.get(name, ("?", "dim"))
    return Field(f"{sign} {name}", tone)


def tally(counts: dict[str, int]) -> str:
    """``19 ok, 3 to do``, in an order that stays."""
    return ", ".join(
        f"{counts[name]} {_WORDS.get(name, name)}" for name in _SIGNS if counts.get(name)
    )
