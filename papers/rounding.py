"""What the printed digits of a number leave open."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from typing import Literal

Mode = Literal["rounded", "rounded to even", "cut off"]
MODES: dict[Mode, str] = {
    "rounded": ROUND_HALF_UP,
    "rounded to even": ROUND_HALF_EVEN,
    "cut off": ROUND_DOWN,
}


def plain(text: str) -> str:
    """The digits of a printed number: ``~1,900`` is ``1900``."""
    return text.strip().lstrip("~").replace(",", "")


def decimals(text: str) -> int:
    """How many digits stand behind the point."""
    return len(plain(text).partition(".")[2])


def rounding(text: str) -> tuple[float, float]:
    """Ends of what a rounded number may have been: 1.81 is 1.805 to 1.815."""
    value, half = Decimal(plain(text)), Decimal(5).scaleb(-decimals(text) - 1)
    return float(value - half), float(value + half)


def rounded_or_cut_off(text: str) -> tuple[float, float]:
    """The same where it may have been cut off as well: 1.81 is 1.805 to 1.82."""
    value, unit = Decimal(plain(text)), Decimal(1).scaleb(-decimals(text))
    above, below = (unit, unit / 2) if value >= 0 else (unit / 2, unit)
    return float(value - below), float(value + above)


def printed_as(value: float | Decimal, places: int, mode: Mode) -> Decimal:
    """``value`` with so many digits behind the point."""
    exact = value if isinstance(value, Decimal) else Decimal(repr(value))
    return exact.quantize(Decimal(1).scaleb(-places), rounding=MODES[mode])
