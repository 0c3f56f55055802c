"""How this machine is set and how loaded it is, as facts with their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from manifests.hardware import Conditions

_PRESSURES = ("cpu", "memory", "io")


class Fact(NamedTuple):
    """``known`` is False where ``found`` is the reason why nobody can tell."""

    what: str
    found: str
    known: bool = True


def machine_state() -> list[Fact]:
    """Read now; takes a few milliseconds."""
    from machine.conditions import conditions

    return facts(conditions())


def facts(now: Conditions) -> list[Fact]:
    """What decides how fast and how evenly it runs, then its load."""
    from services.tuning import conditions_words, hidden_words

    found = [Fact("set to", conditions_words(now) or "nothing is shown here")]
    hidden = hidden_words(now)
    if hidden:
        found.append(Fact("not shown", hidden, known=False))
    return [*found, _load(now), _pressure(now)]


def _load(now: Conditions) -> Fact:
    if now.load_average is None:
        return Fact("load", now.reasons.get("load_average", "unknown"), known=False)
    one, five, fifteen = now.load_average
    return Fact("load", f"{one:.2f} in the last minute, {five:.2f} in 5, {fifteen:.2f} in 15")


def _pressure(now: Conditions) -> Fact:
    """The share of the last ten seconds in which something waited for it."""
    told = {name: getattr(now, f"{name}_pressure_percent") for name in _PRESSURES}
    known = {name: value for name, value in told.items() if value is not None}
    if not known:
        return Fact("pressure", now.reasons.get("cpu_pressure_percent", "unknown"), known=False)
    words = ", ".join(f"{name} {value:.0f} %" for name, value in known.items())
    return Fact("pressure", f"waited for in the last 10 s: {words}")
