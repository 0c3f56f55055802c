"""One table of the units that numbers are recorded in, printed in and shown in."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

RATIO = "ratio"
"""What a quotient of two numbers of one unit is in."""
FRACTION = "fraction"
"""Of a whole: recorded as 0 to 1, printed in percent."""


class Unit(NamedTuple):
    """``of`` is the unit that manifests record such a quantity in; one of it is ``factor`` here."""

    of: str
    factor: float


UNITS: Dict[str, Unit] = {
    "s": Unit("s", 1.0), "ms": Unit("s", 1e3), "µs": Unit("s", 1e6), "min": Unit("s", 1 / 60),
    "h": Unit("s", 1 / 3600),
    "bytes": Unit("bytes", 1.0), "KiB": Unit("bytes", 2.0**-10), "MiB": Unit("bytes", 2.0**-20),
    "GiB": Unit("bytes", 2.0**-30), "kB": Unit("bytes", 1e-3), "MB": Unit("bytes", 1e-6),
    "GB": Unit("bytes", 1e-9),
    "J": Unit("J", 1.0), "mJ": Unit("J", 1e3), "kJ": Unit("J", 1e-3), "Wh": Unit("J", 1 / 3600),
    "W": Unit("W", 1.0), "mW": Unit("W", 1e3),
    "items/s": Unit("items/s", 1.0), "images/s": Unit("items/s", 1.0),
    "MAC/s": Unit("MAC/s", 1.0), "GMAC/s": Unit("MAC/s", 1e-9),
    "count": Unit("count", 1.0), "million": Unit("count", 1e-6), "nats": Unit("nats", 1.0),
    "dB": Unit("dB", 1.0),
    "fraction": Unit(FRACTION, 1.0), "%": Unit(FRACTION, 100.0), "points": Unit(FRACTION, 100.0),
    "ratio": Unit(RATIO, 1.0), "×": Unit(RATIO, 1.0),
}  # fmt: skip

_SHOWN: Dict[str, str] = {"s": "ms", "bytes": "MiB", "MAC/s": "GMAC/s", FRACTION: "%"}
_CHANGES: Dict[str, Tuple[str, str]] = {
    "s": ("faster", "slower"), "bytes": ("smaller", "larger"), "J": ("less", "more"),
    "W": ("less", "more"),
}  # fmt: skip


def shown_in(unit: str) -> Tuple[float, str]:
    """What people read a recorded unit in, and the factor to it: ``(1e3, "ms")`` for ``s``."""
    shown = _SHOWN.get(unit, unit)
    return (UNITS[shown].factor if shown in UNITS else 1.0), shown


def change_words(unit: str) -> Tuple[str, str]:
    """What a smaller and a larger number of that unit is called beside another."""
    return _CHANGES.get(unit, ("lower", "higher"))


def units_of(recorded: str) -> Tuple[str, ...]:
    """The units in which a quantity that is recorded in ``recorded`` can be printed."""
    found = tuple(name for name, unit in UNITS.items() if unit.of == recorded)
    return (*found, "×") if recorded == "count" else found
