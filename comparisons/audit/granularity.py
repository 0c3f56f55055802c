"""Which sizes of a test set an accuracy can arise from."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from comparisons.audit.chance import at_least
from comparisons.audit.findings import Finding
from papers.audit import Granularity
from papers.published import PublishedTable
from papers.rounding import decimals, plain

_MOST_SIZES = 3
_BY_CHANCE = 0.05
"""A size is named where at most so many of those searched would do as well by chance."""
_FLOAT_BITS = 22
"""What float32 makes of k / n * 100, times the digits' power of ten, is off by up to 3 * 2^-24 of
its value (three operations rounded): so much and a little more counts as on the other side.
"""


class _Printed(NamedTuple):
    """What k right answers of n satisfy in whole numbers: low * n <= k * step <= high * n.

    Both ends count. A tie goes to either side (half up, half even), and what lies on the grid of
    the printed digits may be a trifle less in floating point: 57.3 % of 1,000 is cut off to 57.299.
    ``grid`` is how many numbers can be printed, ``width`` how many of their steps the ends span.
    """

    low: int
    high: int
    step: int
    grid: int
    width: float
    cut_off: bool

    def arises(self, size: int) -> bool:
        first = -(-self.low * size // self.step) * self.step
        return first <= self.high * size

    def share(self, size: int) -> float:
        """The share of printable percentages that some count over ``size`` prints as, at most.

        Counts on an end of the span print as two.
        """
        twice = math.gcd(size, self.grid)
        if not self.cut_off:
            twice = math.gcd(size, 2 * self.grid) - twice
        return min(1.0, (size * self.width + twice) / self.grid)


def _printed(text: str, cut_off: bool) -> _Printed:
    value, grid = int(plain(text).replace(".", "")), 100 * int(10 ** decimals(text))
    low, high = (2 * value, 2 * value + 2) if cut_off else (2 * value - 1, 2 * value + 1)
    return _Printed(
        (low << _FLOAT_BITS) - low,
        (high << _FLOAT_BITS) + high,
        (2 * grid) << _FLOAT_BITS,
        grid,
        1 + 2 * value / 2**_FLOAT_BITS,
        cut_off,
    )


def arises(text: str, size: int, cut_off: bool) -> bool:
    """Whether some whole number of right answers among ``size`` prints as this percentage."""
    return _printed(text, cut_off).arises(size)


def audit_granularity(check: Granularity, table: PublishedTable) -> tuple[list[Finding], int]:
    """A finding when the stated size can't give some of the numbers; and how many there are."""
    columns = {column.name: column for column in table.file.column}
    numbers = {
        f"{table.file.name}, {_key(row.key)}, {columns[name].label}": row.numbers[name].text
        for row in table.rows
        for name in check.columns
        if row.numbers[name].value is not None
    }
    impossible = [
        f"{where}: {text} %"
        for where, text in numbers.items()
        if not arises(text, check.stated, True) and not arises(text, check.stated, False)
    ]
    if not impossible:
        return [], len(numbers)
    rule = (
        f"{len(impossible)} of {len(numbers)} accuracies can't be a number of right answers over "
        f"{check.stated:,} images, rounded or cut off; "
        + _sizes_in_words(list(numbers.values()), check.largest)
    )
    finding = Finding(
        check.id, "granularity", check.place, rule, impossible, check.sure, check.innocent
    )
    return [finding], len(numbers)


def _key(key: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in key.items())


class Explaining(NamedTuple):
    """A size that explains so many of the ``numbers``.

    ``by_chance`` is how many of all sizes searched, rounded and cut off, would explain their
    numbers as well if those had nothing to do with a test set.
    """

    size: int
    how: str
    numbers: int
    by_chance: float


def explaining_sizes(texts: Sequence[str], largest: int) -> list[Explaining]:
    """Sizes that explain more numbers than any smaller one and more than chance would.

    Equal numbers are one observation: a model computed in another way often has them.
    """
    counts = Counter(texts)
    found: list[Explaining] = []
    known: dict[int, set[str]] = {}
    for size, how, explained in _records(counts, largest):
        below = [one for one in known if size % one == 0]
        before = set().union(*(known[one] for one in below))
        searched = largest // max(below) - 1 if below else largest - 1
        open_to_it = [_printed(text, how == "cut off") for text in counts if text not in before]
        more = len(explained - before)
        by_chance = 2 * searched * at_least(more, [one.share(size) for one in open_to_it])
        if by_chance <= _BY_CHANCE:
            known[size] = explained
            found.append(Explaining(size, how, sum(counts[text] for text in explained), by_chance))
    return found


def _records(counts: Mapping[str, int], largest: int) -> Iterable[tuple[int, str, set[str]]]:
    """Each size and convention with more of the different numbers than all before it."""
    ways = [
        (how, [(_printed(text, how == "cut off"), text) for text in counts])
        for how in ("cut off", "rounded")
    ]
    best = 0
    for size in range(2, largest + 1):
        for how, printed in ways:
            explained = [text for one, text in printed if one.arises(size)]
            if len(explained) > best:
                best = len(explained)
                yield size, how, set(explained)


def _sizes_in_words(texts: Sequence[str], largest: int) -> str:
    sizes = explaining_sizes(texts, largest)[-_MOST_SIZES:]
    if not sizes:
        return f"no size up to {largest:,} explains more of them than chance would"
    named = [
        f"{one.size:,} {one.how} explains {one.numbers} (by chance: {_few(one.by_chance)} sizes)"
        for one in sizes
    ]
    return f"of sizes up to {largest:,}, {', '.join(named)}"


def _few(expected: float) -> str:
    return f"{expected:.2f}" if expected >= 0.01 else "fewer than 0.01"
