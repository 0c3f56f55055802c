"""A claim in a line: number, a few words of what it says, the verdict, a few of the evidence.

Which of them a list shows where it has fewer lines than there are claims, and how those that it
leaves out are counted.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from comparisons.claims import Judged, Verdict, count_verdicts
from comparisons.claims.verdicts import (
    DECIDED,
    FAILS_HERE,
    HOLDS_HERE,
    NO_NUMBER,
    NOT_MEASURED,
    NOT_REPRODUCED,
    PUBLISHED_STATES,
    REPRODUCED,
    UNTESTABLE,
)
from papers.expressions.quantities import FAILS, HOLDS, UNCLEAR

_ALIKE = 3
"""So many claims that nothing was measured for, for one reason, share a line."""
_UNTOUCHED = ("not run", "no such cell", "no run", "")
"""Where nothing else is said of any claim, each keeps its line: there is nothing else to read."""

_STAND_INS = {
    REPRODUCED: "stand-in holds", HOLDS_HERE: "stand-in holds",
    NOT_REPRODUCED: "stand-in does not", FAILS_HERE: "stand-in does not",
    UNCLEAR: "stand-in undecided",
}  # fmt: skip
_COUNTED = {
    HOLDS_HERE: ("holds here", "hold here"), FAILS_HERE: ("does not hold here", "do not hold here"),
    HOLDS: ("holds", "hold"), FAILS: ("does not hold", "do not hold"),
    NO_NUMBER: ("without a number", "without a number"),
}  # fmt: skip
"""For one, and for several."""
_FIRST = (
    NOT_REPRODUCED, FAILS_HERE, FAILS, UNCLEAR, REPRODUCED, HOLDS_HERE, HOLDS, NOT_MEASURED,
    UNTESTABLE, NO_NUMBER,
)  # fmt: skip
_BRIEF = (
    ("an interval reaches both sides", "interval spans the bound"),
    ("all measurements together", "contradicted by disturbed ones"),
    ("the difference is within", "within the noise"),
)


class VerdictRow(NamedTuple):
    """``state`` is the verdict's own word; ``verdict`` what a list calls it."""

    number: str
    says: str
    state: str
    verdict: str
    evidence: str


def verdict_rows(
    claims: Sequence[Judged], most: int, published: bool = False, folded: bool = False
) -> list[VerdictRow]:
    """In the order of the paper; where they are more than ``most``, those that fail or are open
    first, and the last line counts the rest. ``published``: on the paper's own numbers.
    ``folded``: what was not run shares a line also where no claim was.
    """
    rows = [_on_paper(judged) if published else _row(judged) for judged in claims]
    if folded or any(row.state != UNTESTABLE and row.evidence not in _UNTOUCHED for row in rows):
        rows = list(_alike_together(rows))
    if len(rows) <= most:
        return rows
    rows.sort(key=lambda row: _FIRST.index(row.state))
    shown = max(0, most - 1)
    return [*rows[:shown], _counted(rows[shown:])]


def decisive(judged: Judged) -> tuple[Verdict, bool]:
    """The verdict that says the most, and whether it is the stand-in's."""
    stand_in = judged.stand_in
    bare = judged.measured.state in (NOT_MEASURED, UNTESTABLE)
    if stand_in is not None and bare and stand_in.state in _STAND_INS:
        return stand_in, True
    return judged.measured, False


def tally(claims: Sequence[Judged], published: bool = False) -> list[str]:
    """How many claims came to what in a sentence, and how many stand-ins in another."""
    if published:
        counted = Counter(one.published.state for one in claims)
        return [_of({state: counted[state] for state in PUBLISHED_STATES}, len(claims))]
    lines = [_of(count_verdicts(claims), len(claims))]
    stood = Counter(one.stand_in.state for one in claims if one.stand_in is not None)
    del stood[NOT_MEASURED]
    holds, fails = (sum(stood[word] for word in pair) for pair in (DECIDED[:2], DECIDED[2:]))
    counts = {"hold": holds, "do not hold": fails, "undecided": stood[UNCLEAR]}
    told = ", ".join(f"{n} {word}" for word, n in counts.items() if n)
    return [*lines, f"stand-ins, which decide no claim: {told}"] if told else lines


def _of(counts: dict[str, int], every: int) -> str:
    """``12 of 23 claims hold here, 3 do not, 2 undecided``."""
    told = [
        f"{number} {_word(state, number, counts)}" for state, number in counts.items() if number
    ]
    if not told:
        return "no claims"
    first, _, word = told[0].partition(" ")
    of = f"{first} of {every} claim{'s' if every != 1 else ''} {word}"
    return ", ".join([of, *told[1:]])


def _word(state: str, number: int, counts: dict[str, int]) -> str:
    """What holds is named before what does not."""
    if (state == FAILS_HERE and counts.get(HOLDS_HERE)) or (state == FAILS and counts.get(HOLDS)):
        return "do not" if number > 1 else "does not"
    return _COUNTED.get(state, (state, state))[number > 1]


def _row(judged: Judged) -> VerdictRow:
    verdict, stands_in = decisive(judged)
    word = _STAND_INS[verdict.state] if stands_in else verdict.state
    return VerdictRow(judged.number, _says(judged), verdict.state, word, brief(verdict))


def _on_paper(judged: Judged) -> VerdictRow:
    verdict = judged.published
    found = verdict.evidence or verdict.reason
    return VerdictRow(judged.number, _says(judged), verdict.state, verdict.state, found)


def _says(judged: Judged) -> str:
    """As the study shortens it, else its text without what stands in brackets."""
    claim = judged.claim
    if claim.short.strip():
        return " ".join(claim.short.split())
    return " ".join(re.sub(r"\s*\([^()]*\)", "", claim.text).split()).rstrip(".")


def brief(verdict: Verdict) -> str:
    """Six words: the numbers of what is decided; what would decide what is open; else why not."""
    if verdict.state == UNCLEAR:
        return _open(verdict)
    if verdict.state == NOT_MEASURED:
        return verdict.reason.removeprefix("unsupported: ").partition(";")[0]
    found = verdict.evidence if verdict.state in DECIDED else verdict.reason
    return re.sub(r", (\d+(?: to \d+)?) process(?:es)?$", r", n = \1", found)


def _open(verdict: Verdict) -> str:
    """``3 more processes, 70 s``; ``busy: 5 more, 3 min``."""
    if "not within reach" in verdict.would_decide:
        return "not within reach"
    needs = re.fullmatch(r"(\d+ more process(?:es)?)(?: each)?, about (.*)", verdict.would_decide)
    if needs:
        if verdict.reason.startswith("busy machine"):
            return f"busy: {needs[1].partition(' p')[0]}, {needs[2]}"
        return f"{needs[1]}, {needs[2]}"
    start = ((short, verdict.reason.startswith(long)) for long, short in _BRIEF)
    return next((short for short, found in start if found), verdict.reason)


def _alike_together(rows: Sequence[VerdictRow]) -> Iterable[VerdictRow]:
    """Claims that nothing was measured for, for one reason, where the first of them stands."""
    groups: dict[str, list[VerdictRow]] = {}
    for row in rows:
        if row.state == NOT_MEASURED:
            groups.setdefault(row.evidence, []).append(row)
    for row in rows:
        same = groups.get(row.evidence, []) if row.state == NOT_MEASURED else []
        if len(same) < _ALIKE:
            yield row
        elif row is same[0]:
            yield _group(same)


def _group(same: Sequence[VerdictRow]) -> VerdictRow:
    says = f"{len(same)} claims: {spans([row.number for row in same])}"
    return VerdictRow("", says, NOT_MEASURED, NOT_MEASURED, same[0].evidence)


def _counted(rows: Sequence[VerdictRow]) -> VerdictRow:
    """``7 more: 5 hold here, 2 not measured``; groups count as the claims that they stand for."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts[row.verdict] += 1 if row.number else int(row.says.partition(" ")[0])
    told = ", ".join(f"{n} {_COUNTED.get(word, (word, word))[n > 1]}" for word, n in counts.items())
    return VerdictRow("", f"{counts.total()} more: {told}", "", "", "")


def spans(numbers: Sequence[str]) -> str:
    """``C1 to C4, C7``."""
    runs: list[list[int]] = []
    for number in (int(name[1:]) for name in numbers):
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(_span(run) for run in runs)


def _span(run: Sequence[int]) -> str:
    if len(run) < 3:
        return ", ".join(f"C{number}" for number in run)
    return f"C{run[0]} to C{run[-1]}"
