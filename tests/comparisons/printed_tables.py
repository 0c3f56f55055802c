"""Published tables made by hand, and honest ones as authors print them."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from papers.published import Column, Printed, PublishedRow, PublishedTable, TableFile
from papers.rounding import plain


def table(rows: list[dict[str, str]], derive: str = "ratio") -> PublishedTable:
    """A table of the columns a, b and, derived from them, d; keyed by batch_size from 1."""
    columns = [
        Column(name="a", label="a", unit="s"), Column(name="b", label="b", unit="s"),
        Column(name="d", label="d", unit="×", derive={derive: ["a", "b"]}),
    ]  # fmt: skip
    file = TableFile(id="t", title="T", place="Table T", key=["batch_size"], column=columns)
    return PublishedTable(
        file,
        [
            PublishedRow(
                {"batch_size": str(index)},
                {name: printed(row.get(name, "")) for name in ("a", "b", "d")},
            )
            for index, row in enumerate(rows, start=1)
        ],
        [],
    )


def printed(text: str) -> Printed:
    return Printed(text, float(plain(text)) if text else None)


class Printing(NamedTuple):
    """How an author's program computes and prints: in which type, and what happens to digits."""

    name: str
    type: Callable[[float], Any]
    digits: Callable[[Any], Any]

    def text(self, value: Any, places: int) -> str:
        """``value`` with so many decimals, all steps in the type."""
        ten = self.type(10.0**places)
        return f"{float(self.digits(self.type(value) * ten) / ten):.{places}f}"


def _half_up(value: Any) -> Any:
    return np.floor(value + type(value)(0.5))


PRINTINGS = [
    Printing(f"{name}, {kind.__name__}", kind, digits)
    for name, digits in (("half up", _half_up), ("half even", np.rint), ("cut off", np.trunc))
    for kind in (np.float32, np.float64)
]


def accuracies(source: random.Random, how: Printing, size: int, places: int) -> PublishedTable:
    """Twelve percentages of right answers among ``size``."""
    texts = []
    for _ in range(12):
        share = how.type(source.randrange(size + 1)) / how.type(size)
        texts.append(how.text(share * how.type(100.0), places))
    return table([{"a": a, "b": b} for a, b in zip(texts[::2], texts[1::2], strict=True)])


class Deriving(NamedTuple):
    """How an author comes to a derived column."""

    name: str = "ratio"
    rows: int = 12
    from_printed: bool = False
    places: tuple[int, int] = (2, 2)


def derived(source: random.Random, how: Printing, deriving: Deriving) -> PublishedTable:
    """Parts between 1 and 500 and what is derived from them, before or after they are printed."""
    rows = []
    for _ in range(deriving.rows):
        parts = [how.type(source.uniform(*ends)) for ends in ((50, 500), (1, 50))]
        texts = [how.text(part, deriving.places[0]) for part in parts]
        if deriving.from_printed:
            parts = [how.type(float(text)) for text in texts]
        value = _derivation(deriving.name, how.type, *parts)
        rows.append({"a": texts[0], "b": texts[1], "d": how.text(value, deriving.places[1])})
    return table(rows, deriving.name)


def _derivation(name: str, kind: Callable[[float], Any], first: Any, second: Any) -> Any:
    one, hundred = kind(1.0), kind(100.0)
    if name == "ratio":
        return first / second
    if name == "drop":
        return first - second
    change = one - second / first if name == "reduction" else second / first - one
    return change * hundred


def impossible(source: random.Random, size: int) -> str:
    """A percentage three digits and more away from each that ``size`` images can give."""
    while True:
        wrong = source.randrange(100_001)
        nearest = round(wrong * size / 100_000)
        if abs(wrong - 100_000 * nearest / size) >= 3:
            return f"{wrong / 1000:.3f}"
