"""One digit changed in a derived column of a paper's tables: the audit finds it."""

from __future__ import annotations

import random
from decimal import Decimal

from comparisons.audit.derived import audit_derived, derived_numbers
from comparisons.audit.derived_number import Derived
from manifests.paths import ROOT
from papers.published import PublishedRow, PublishedTable, load_published
from papers.rounding import decimals
from tests.comparisons.printed_tables import printed

STUDIES = ROOT / "studies"
MUTATIONS = 200


def test_every_planted_error_in_a_derived_column_is_found() -> None:
    """200 mutations of one digit or one unit, in copies of both papers' tables.

    Four numbers, as lad2023 has, don't tell that a paper computes from its printed digits: there
    only what no digits could give is an error. Ties are rounded to either side.
    """
    source = random.Random(17)
    for number in range(MUTATIONS):
        study = ("lad2023", "shafique2023")[number % 2]
        published = load_published(STUDIES / study)
        before = {where for finding in audit_derived(published)[0] for where in finding.where}
        chosen, text = mutation(source, published)
        mutated, place = mutate(published, chosen, text), f"{chosen.where}: printed {text}"
        after = {where for finding in audit_derived(mutated)[0] for where in finding.where}
        new = after - before
        if (study == "lad2023" and place in LEFT_OPEN) or is_tie(chosen, text):
            assert new == set()
            continue
        assert len(new) == 1, (study, place, new)
        assert place in new.pop()


# By hand, e.g.: 16.795 to 16.81 and 32.815 to 32.83 are increases of 95.211 % to 95.475 %, printed
# as 95.2, 95.3, 95.4 or 95.5.
_INCREASE = "Table II, framework {}, increase in time: printed {}"
_REDUCTION = "Table I, framework {}, reduction in size: printed {}"
LEFT_OPEN = {
    *(_INCREASE.format("pytorch", text) for text in ("95.2", "95.4", "95.5")),
    *(_INCREASE.format("tensorflow", text) for text in ("217.6", "217.7", "217.9")),
    _REDUCTION.format("pytorch", "74.8"), _REDUCTION.format("tensorflow", "73.5"),
}  # fmt: skip


def is_tie(number: Derived, text: str) -> bool:
    """8.875 is printed as 8.88 or, where floating point has a trifle less, as 8.87."""
    return abs(number.exact - Decimal(text)) == Decimal(5).scaleb(-decimals(text) - 1)


def mutation(source: random.Random, published: list[PublishedTable]) -> tuple[Derived, str]:
    """A derived number, and how it may be printed otherwise."""
    chosen = source.choice(derived_numbers(published))
    return chosen, other(source, chosen.printed)


def mutate(published: list[PublishedTable], chosen: Derived, text: str) -> list[PublishedTable]:
    """One derived number printed otherwise."""

    def change(found: PublishedTable) -> PublishedTable:
        labels = {column.label: column.name for column in found.file.column}
        rows = []
        for row in found.rows:
            key = ", ".join(f"{name} {value}" for name, value in row.key.items())
            numbers = dict(row.numbers)
            for label, name in labels.items():
                if f"{found.file.name}, {key}, {label}" == chosen.where:
                    numbers[name] = printed(text)
            rows.append(PublishedRow(row.key, numbers))
        return found._replace(rows=rows)

    return [change(one) for one in published]


def other(source: random.Random, text: str) -> str:
    """Another number of as many digits: one digit changed, two exchanged, or one unit added."""
    while True:
        kind = source.choice(("digit", "exchange", "unit"))
        digits = list(text)
        places = [index for index, character in enumerate(digits) if character.isdigit()]
        if kind == "digit":
            digits[source.choice(places)] = str(source.randrange(10))
        elif kind == "exchange" and len(places) > 1:
            first, second = source.sample(places, 2)
            digits[first], digits[second] = digits[second], digits[first]
        else:
            step = source.choice((-1, 1)) * Decimal(1).scaleb(-decimals(text))
            digits = list(str(Decimal(text) + step))
        changed = "".join(digits)
        if Decimal(changed) != Decimal(text) and Decimal(changed) > 0:
            return changed
