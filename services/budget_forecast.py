"""What a budget would leave undecided: an estimate before anything of it is spent.

A claim that has been measured needs what its own scatter says; one that has not is taken to be
decided at the first look, which is the least that it takes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from services.first_looks import Needed, first_look
from services.first_pass import beginnings, once_and_looks_s, once_s, settled
from services.phrases import duration
from services.quadruple_choice import Costs, affordable
from services.results import Results, judge_claims, results_of
from services.spent_time import spent_by_starts_s
from services.still_open import still_open

if TYPE_CHECKING:
    from comparisons.claims import Judged
    from comparisons.results import Evidence
    from orchestrator.running.request import Prepared


class Undecided(NamedTuple):
    """A claim that the budget leaves undecided, and why; ``seconds`` is what it would take more
    than there is, None where no time would decide it.
    """

    number: str
    reason: str
    seconds: float | None = None


class Forecast(NamedTuple):
    """Claims by number. ``once_s`` is what is left of measuring everything once; it ``fits`` where
    a look at every claim does so too.
    """

    budget_s: float
    spent_s: float
    once_s: float
    fits: bool
    decided: list[str]
    undecided: list[Undecided]


class _Wish(NamedTuple):
    """What a claim is likely to take, or why nothing helps it."""

    number: str
    needs: Needed
    reason: str = ""


def forecast(prepared: Prepared, budget_s: float) -> Forecast:
    """As many claims as there is time for, as a run with this budget would measure."""
    results = results_of(prepared)
    done = {manifest.id for manifest in results.manifests}
    todo = [p for p in prepared.chosen if not p.skip and p.id not in done]
    spent = spent_by_starts_s(results.run, results.manifests)
    costs = Costs(results.plan, results.manifests)
    whole_s, left_s = once_s(todo, costs), budget_s - spent
    evidence = judge_claims(results)
    wishes = list(_wishes(results, evidence))
    known = {wish.number for wish in wishes}
    decided = [j.number for j in evidence.claims if j.number not in known and settled(j)]
    able = [wish for wish in wishes if not wish.reason]
    fits = once_and_looks_s(results.plan, evidence, costs, todo) <= left_s
    if not fits:
        begun = {one.number: one for one in beginnings(results.plan, evidence, costs, todo)}
        able = [w._replace(needs=begun[w.number].needs) if w.number in begun else w for w in able]
    reached, undecided = _shared_out(able, costs, left_s - (whole_s if fits else 0.0))
    undecided += [Undecided(wish.number, wish.reason) for wish in wishes if wish.reason]
    return Forecast(
        budget_s, spent, whole_s, fits, sorted([*decided, *reached], key=_number),
        sorted(undecided, key=lambda one: _number(one.number)),
    )  # fmt: skip


def _number(claim: str) -> int:
    return int(claim[1:])


def _shared_out(
    wishes: Sequence[_Wish], costs: Costs, left_s: float
) -> tuple[list[str], list[Undecided]]:
    """As many as there is time for; what several compare is measured once for all of them."""
    places = affordable([wish.needs for wish in wishes], costs, left_s)
    reached = [wishes[place] for place in places]
    planned: dict[str, int] = {}
    for wish in reached:
        left_s -= _seconds(wish.needs, costs, planned)
        planned.update({p: max(n, planned.get(p, 0)) for p, n in wish.needs.items()})
    undecided = []
    for wish in wishes:
        if wish in reached:
            continue
        short_s = _seconds(wish.needs, costs, planned) - max(0.0, left_s)
        reason = f"{_processes(wish.needs)} would be needed"
        undecided.append(Undecided(wish.number, reason, short_s))
    return [wish.number for wish in reached], undecided


def _beyond(needs: Needed, planned: Needed) -> Needed:
    return {p: n - planned.get(p, 0) for p, n in needs.items() if n > planned.get(p, 0)}


def _seconds(needs: Needed, costs: Costs, planned: Needed) -> float:
    return sum(n * costs.of(p) for p, n in _beyond(needs, planned).items())


def _processes(needs: Needed) -> str:
    cells = f"{len(needs)} cell{'s' if len(needs) != 1 else ''}"
    return f"{max(needs.values())} more processes a side of {cells}"


def _wishes(results: Results, evidence: Evidence) -> Iterator[_Wish]:
    """Of every claim that isn't settled."""
    open_ = {claim.number: claim for claim in still_open(results.plan, evidence.claims)}
    for judged in evidence.claims:
        claim = open_.get(judged.number)
        if claim is not None and claim.comparisons:
            yield _Wish(judged.number, claim.further(likely=True))
        elif claim is not None:
            reason = claim.would_decide or claim.reason
            yield _Wish(judged.number, {}, reason)
        elif not settled(judged):
            yield _unmeasured(judged, results, evidence)


def _unmeasured(judged: Judged, results: Results, evidence: Evidence) -> _Wish:
    """One that has no number yet."""
    look = first_look(judged, results.plan, evidence)
    return _Wish(judged.number, look.further, look.reason)


def forecast_lines(found: Forecast) -> list[str]:
    """For people; claims that stay open for one reason share a line."""
    spent = f"{duration(found.spent_s)} of it spent, " if found.spent_s else ""
    decided = ", ".join(found.decided) or "none"
    lines = [
        f"budget {duration(found.budget_s)}: {spent}about {duration(found.once_s)} to measure "
        f"everything once{'' if found.fits else ': claim by claim instead, the cheapest first'}",
        f"claims likely to be decided: {decided}",
    ]
    by_reason: dict[str, list[str]] = {}
    for one in found.undecided:
        short = f", about {duration(one.seconds)} beyond it" if one.seconds is not None else ""
        by_reason.setdefault(f"{one.reason}{short}", []).append(one.number)
    lines += [f"left undecided: {', '.join(names)}: {why}" for why, names in by_reason.items()]
    return lines


def forecast_data(found: Forecast) -> dict[str, object]:
    """As ``repliquant plan --json`` has it."""
    return {
        "seconds": found.budget_s,
        "spent_s": round(found.spent_s, 1),
        "once_s": round(found.once_s, 1),
        "decided": found.decided,
        "undecided": [
            {
                "claim": one.number,
                "reason": one.reason,
                "seconds_short": None if one.seconds is None else round(one.seconds, 1),
            }
            for one in found.undecided
        ],
    }
