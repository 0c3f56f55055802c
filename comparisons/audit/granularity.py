"""Which sizes of a test set an accuracy can arise from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from comparisons.audit.findings import Finding
from papers.audit import Granularity
from papers.published import PublishedTable
from papers.rounding import decimals, plain

_TOLD_SIZES = 3


class _Printed(NamedTuple):
    """What k right answers of n satisfy in whole numbers: low * n <= k * step < high * n."""

    low: int
    high: int
    step: int

    def arises(self, size: int) -> bool:
        first = -(-self.low * size // self.step) * self.step
        return first < self.high * size


def _printed(text: str, cut_off: bool) -> _Printed:
    value = int(plain(text).replace(".", ""))
    whole = 100 * int(10 ** decimals(text))
    if cut_off:
        return _Printed(value, value + 1, whole)
    return _Printed(2 * value - 1, 2 * value + 1, 2 * whole)


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
    sizes = _sizes(list(numbers.values()), check.largest)
    rule = (
        f"{len(impossible)} of {len(numbers)} accuracies can't be a number of right answers over "
        f"{check.stated:,} images, rounded or cut off{sizes}"
    )
    finding = Finding(
        check.id, "granularity", check.place, rule, impossible, check.sure, check.innocent
    )
    return [finding], len(numbers)


def _key(key: dict[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in key.items())


def _sizes(texts: Sequence[str], largest: int) -> str:
    """The smallest sizes that explain more numbers than any smaller one, and what chance would."""
    records: list[tuple[int, int, str]] = []
    ways = [
        (how, [(_printed(text, how == "cut off"), n) for text, n in Counter(texts).items()])
        for how in ("cut off", "rounded")
    ]
    best = len(texts) // 4
    for size in range(2, largest + 1):
        for how, printed in ways:
            count = sum([n for one, n in printed if one.arises(size)])
            if count > best:
                best = count
                records.append((size, count, how))
    if not records:
        return f"; no size up to {largest:,} explains a quarter of them"
    places = max(decimals(text) for text in texts)
    told = [
        f"{size:,} {how} explains {count} (chance: {_chance(size, places) * len(texts):.1f})"
        for size, count, how in records[-_TOLD_SIZES:]
    ]
    return f"; of sizes up to {largest:,}, {', '.join(told)}"


def _chance(size: int, places: int) -> float:
    """The share of printable percentages that some count over ``size`` prints as."""
    return float(min(1.0, size / (100 * 10**places)))
