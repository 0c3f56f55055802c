"""Evaluating claims twice: on the paper's own numbers, and on what a run measured."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from comparisons.claims.atoms import Atom, Atoms
from comparisons.claims.cells import lines_used
from comparisons.claims.run_source import measured_source
from comparisons.claims.setting import Deviation, deviations
from comparisons.claims.sources import Tables, published_source
from comparisons.claims.wanted import Wanted, all_wanted, images_would_decide, would_decide
from comparisons.comparison import Comparison, Line
from comparisons.number_flags import NO_FLAGS, Flagged, disturbed, merged
from comparisons.sequential.looks import FIRST
from manifests.manifest import Manifest
from papers.claims import Claim, ClaimsFile, Numbered, choose_claims
from papers.expressions import Evaluator, ExpressionError, Missing, Node, Truth
from papers.expressions.logic import shares
from papers.expressions.quantities import FAILS, HOLDS, UNCLEAR, Doubts
from papers.published import PublishedTable
from papers.study_types import Used

REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
HOLDS_HERE, FAILS_HERE = "holds here", "does not hold here"
NOT_MEASURED, UNTESTABLE, NO_NUMBER = "not measured", "untestable", "no number"
STATES = (
    REPRODUCED, HOLDS_HERE, NOT_REPRODUCED, FAILS_HERE, UNCLEAR, NOT_MEASURED, UNTESTABLE,
)  # fmt: skip
"""On what was measured, in the order of counts."""
PUBLISHED_STATES = (HOLDS, FAILS, UNCLEAR, NO_NUMBER)
"""On the paper's own numbers."""
DECIDED = (REPRODUCED, HOLDS_HERE, NOT_REPRODUCED, FAILS_HERE)

_WORDS = {
    (HOLDS, True): REPRODUCED, (HOLDS, False): HOLDS_HERE,
    (FAILS, True): NOT_REPRODUCED, (FAILS, False): FAILS_HERE,
}  # fmt: skip


class Verdict(NamedTuple):
    """``state`` is one of STATES or PUBLISHED_STATES; ``why`` has the numbers.

    ``reason`` is why there is no other verdict, where it is none that decides; ``would_decide``
    what would; ``evidence`` the numbers in six words. ``differs`` is what the claim depends on
    and the paper had otherwise. ``wanted`` has the processes of each open comparison.
    """

    state: str
    why: str
    reason: str = ""
    differs: tuple[Deviation, ...] = ()
    would_decide: str = ""
    evidence: str = ""
    wanted: tuple[Wanted, ...] = ()


class Judged(NamedTuple):
    """A claim and what becomes of it. ``stand_in`` is None where there is no stand-in test.

    ``flagged`` has the cells of each flag that a number of its tests carries.
    """

    number: str
    claim: Claim
    published: Verdict
    measured: Verdict
    stand_in: Verdict | None
    cells: list[str]
    flagged: Flagged = NO_FLAGS


class Ran(NamedTuple):
    """A run as claims see it. ``used`` is what the paper's numbers come from."""

    comparisons: Sequence[Comparison]
    tier: str
    used: Used
    manifests: Mapping[str, Manifest]
    source: Tables


def judge(
    file: ClaimsFile,
    published: Sequence[PublishedTable],
    comparisons: Sequence[Comparison],
    tier: str,
    wanted: str = "",
    used: Used | None = None,
    manifests: Iterable[Manifest] = (),
) -> list[Judged]:
    """Verdicts for all claims, or for one. Without comparisons nothing was measured."""
    paper = published_source(published)
    by_id = {manifest.id: manifest for manifest in manifests}
    ours = measured_source(published, comparisons, by_id)
    ran = Ran(comparisons, tier, used or Used(), by_id, ours)
    return [_judge(item, paper, ran) for item in choose_claims(file.claim, wanted)]


def count_verdicts(judged: Sequence[Judged]) -> dict[str, int]:
    """How many claims have which verdict on what was measured."""
    counts = Counter(item.measured.state for item in judged)
    return {state: counts[state] for state in STATES if counts[state]}


def _judge(item: Numbered, paper: Tables, ran: Ran) -> Judged:
    claim = item.claim
    tests = claim.tests
    if "test" not in tests:
        published = Verdict(NO_NUMBER, claim.untestable, claim.untestable)
        measured = Verdict(UNTESTABLE, claim.untestable, claim.untestable)
    else:
        published = _published(tests["test"], claim, paper)
        measured = _measured("test", claim, ran)
    stand_in = None
    if "stand_in" in tests:
        stand_in = _measured("stand_in", claim, ran)
    lines = list(lines_used(tests.values(), ran.comparisons))
    cells = list(dict.fromkeys(cell for line in lines for cell in line.cells))
    found = merged(line.flagged for line in lines)
    return Judged(item.number, claim, published, measured, stand_in, cells, found)


def _published(test: Node, claim: Claim, paper: Tables) -> Verdict:
    try:
        truth = Evaluator(paper, claim.constants).truth(test)
    except (Missing, ExpressionError) as error:
        reason = _lacking(error)
        return Verdict(NO_NUMBER, reason, reason)
    reason = "what its rounding leaves open decides it" if truth.state == UNCLEAR else ""
    return Verdict(truth.state, truth.why, reason, evidence=truth.short)


def _measured(name: str, claim: Claim, ran: Ran) -> Verdict:
    if not ran.comparisons:
        return Verdict(NOT_MEASURED, "no run", "no run")
    reason = claim.too_little(name, ran.tier)
    if reason:
        return Verdict(NOT_MEASURED, reason, reason)
    test = claim.tests[name]
    try:
        truth, atoms = _decided(test, claim, ran.source)
    except (Missing, ExpressionError) as error:
        reason = _lacking(error)
        return Verdict(NOT_MEASURED, reason, reason)
    differs = tuple(_deviations(test, claim, ran))
    evidence = ", ".join(part for part in (truth.short, _processes(atoms)) if part)
    if truth.state != UNCLEAR:
        word = _WORDS[truth.state, not differs and name == "test"]
        return Verdict(word, truth.why, differs=differs, evidence=evidence)
    reason = _reason(truth.doubts, atoms)
    why = f"{reason}; {truth.why}" if truth.doubts else truth.why
    found = all_wanted(atoms)
    decides = would_decide(found) or images_would_decide(atoms)
    return Verdict(UNCLEAR, why, reason, differs, decides, evidence, tuple(found))


def _lacking(error: Exception) -> str:
    if isinstance(error, Missing):
        return str(error)
    return f"the test can't be evaluated: {error}"


def _decided(test: Node, claim: Claim, source: Tables) -> tuple[Truth, list[Atom]]:
    """First which comparisons there are, then with what each of them may take of the error."""
    first = Evaluator(source, claim.constants, Atoms()).truth(test)
    atoms = Atoms(dict(shares(first.logic)))
    return Evaluator(source, claim.constants, atoms).truth(test), atoms.made


def _deviations(test: Node, claim: Claim, ran: Ran) -> list[Deviation]:
    cells = dict.fromkeys(c for line in _with_a_number(test, ran) for c in line.cells)
    found = (ran.manifests.get(cell) for cell in cells)
    return deviations(claim, ran.used, (m for m in found if m is not None and m.status == "ok"))


def _with_a_number(test: Node, ran: Ran) -> Iterable[Line]:
    return (line for line in lines_used([test], ran.comparisons) if line.measured is not None)


def _processes(atoms: Sequence[Atom]) -> str:
    """How many a side, the fewest first."""
    counts = {_count(atom) for atom in atoms if atom.partners}
    if not counts:
        return ""
    low, high = min(counts), max(counts)
    if low == high:
        return f"{high} process{'es' if high != 1 else ''}"
    return f"{low} to {high} processes"


def _count(atom: Atom) -> int:
    """Those that a comparison rests on; before the first look those that there are."""
    if atom.decision is not None and atom.decision.look:
        return atom.decision.look
    return min(len({repeat for repeat, _ in one.usable}) for one in atom.partners)


def _reason(doubts: Doubts, atoms: Sequence[Atom]) -> str:
    """What keeps the first of the open comparisons open, the worst first."""
    whys = {
        atom.decision.why if atom.decision is not None else "" for atom in atoms
        if atom.state == UNCLEAR
    }  # fmt: skip
    told = disturbed(merged({name: [cell]} for name, cell in sorted(doubts)))
    if "contradicted" in whys:
        return "all measurements together, the disturbed ones too, point the other way"
    if told:
        busy = "busy machine: " if "busy machine" in whys else ""
        return busy + told
    if "too few" in whys:
        few = [atom for atom in atoms if atom.state == UNCLEAR and atom.partners]
        fewest = min(_count(atom) for atom in few)
        each = f"{fewest} process{'es' if fewest != 1 else ''} a side"
        return f"{each}; the first look is at {FIRST}"
    if "within noise" in whys:
        return "the difference is within the noise"
    return "an interval reaches both sides of the bound"
