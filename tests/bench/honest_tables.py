"""How often the audit accuses tables that are honest, and how many planted errors it finds."""

from __future__ import annotations

import random
from collections.abc import Callable

from comparisons.audit.derived import audit_derived
from comparisons.audit.granularity import audit_granularity
from papers.audit import Granularity
from papers.published import PublishedTable
from tests.comparisons.printed_tables import (
    PRINTINGS,
    Deriving,
    accuracies,
    derived,
    impossible,
    printed,
)

_TABLES = 400
_SIZES = (100, 360, 500, 512, 1000, 1984, 2000, 5000, 8000, 10_000)
_SIZES_OF_ERRORS = (100, 500, 1000, 1984, 2000)


def audit_of_honest_tables() -> None:
    """400 tables of each sort, rounded half up, half even, cut off, in float32 and float64."""
    for name, tables, found in (
        ("accuracies, 10 sizes of test sets", _accuracies, _in_accuracies),
        ("4 ratios, changes or drops", lambda n: _derived(n, 4), _in_derived),
        ("12 ratios, changes or drops", lambda n: _derived(n, 12), _in_derived),
    ):
        print(f"  {name}: {_share(tables, found)} with a finding")
    print(f"  accuracies with an impossible one: {_share(_wrong_accuracies, _in_accuracies)} found")
    print(f"  12 ratios, one a tenth off: {_share(_wrong_derived, _in_derived)} found")


_Sized = tuple[PublishedTable, int]


def _share(tables: Callable[[int], _Sized], found: Callable[[PublishedTable, int], bool]) -> str:
    count = sum(found(*tables(seed)) for seed in range(_TABLES))
    return f"{count} of {_TABLES}"


def _accuracies(seed: int) -> _Sized:
    source, size = random.Random(seed), _SIZES[seed % len(_SIZES)]
    return accuracies(source, source.choice(PRINTINGS), size, source.randrange(1, 4)), size


def _wrong_accuracies(seed: int) -> _Sized:
    source, size = random.Random(seed), _SIZES_OF_ERRORS[seed % len(_SIZES_OF_ERRORS)]
    honest = accuracies(source, source.choice(PRINTINGS), size, 3)
    return _changed(honest, source.randrange(6), "a", impossible(source, size)), size


def _derived(seed: int, rows: int) -> _Sized:
    source = random.Random(seed)
    name = source.choice(("ratio", "reduction", "increase", "drop"))
    places = source.choice(((1, 2), (2, 2), (2, 1), (0, 1), (2, 3)))
    way = Deriving(name, rows, from_printed=source.random() < 0.5, places=places)
    return derived(source, source.choice(PRINTINGS), way), 0


def _wrong_derived(seed: int) -> _Sized:
    source = random.Random(seed)
    way = Deriving("ratio", 12, from_printed=source.random() < 0.5)
    honest = derived(source, source.choice(PRINTINGS), way)
    row = source.randrange(12)
    wrong = float(honest.rows[row].numbers["d"].text) * source.choice((0.9, 1.1))
    return _changed(honest, row, "d", f"{wrong:.2f}"), 0


def _changed(table: PublishedTable, row: int, column: str, text: str) -> PublishedTable:
    rows = [*table.rows]
    rows[row] = rows[row]._replace(numbers={**rows[row].numbers, column: printed(text)})
    return table._replace(rows=rows)


def _in_accuracies(table: PublishedTable, size: int) -> bool:
    check = Granularity(
        id="g", table="t", columns=["a", "b"], stated=size, largest=size, place="here"
    )
    return bool(audit_granularity(check, table)[0])


def _in_derived(table: PublishedTable, _: int) -> bool:
    return bool(audit_derived([table])[0])
