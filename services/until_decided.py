"""Running until the claims of a study are decided, or a stated time is spent.

First everything that was asked for, then quadruples A B B A where a claim is still open; without
time for both, claim by claim, the cheapest first. All follows from the run's folder, its manifests
and what was spent: what was cut off is gone on with, the same command again repeats nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from manifests.flags import voids
from manifests.manifest import Manifest
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from orchestrator.messages import Listener, LogLine
from orchestrator.planning.quadruples import point_of
from orchestrator.planning.resuming import manifest_or_none
from services.first_pass import (
    Begin,
    Reach,
    beginnings,
    cheapest,
    fitting,
    in_reach,
    once_and_looks_s,
    once_s,
)
from services.phrases import count, duration
from services.quadruple_choice import Batch, Costs, choose, next_quadruple, spent_s
from services.results import Results, judge_claims, read_results, results_of
from services.spent_time import keep_spent, spent_by_starts_s
from services.still_open import StillOpen, still_open

if TYPE_CHECKING:
    from comparisons.results import Evidence
    from machine.sampler import Sampler
    from orchestrator.running.control import RunControl
    from orchestrator.running.execute import Outcome, Session
    from orchestrator.running.request import Request


class Ending(NamedTuple):
    """How measuring again ended. ``why``: decided, budget, paused or exhausted.

    ``quadruples`` were measured by this start; ``open`` are the claims that stay open, and
    ``evidence`` is what they were judged by.
    """

    why: str
    budget_s: float
    spent_s: float
    quadruples: int
    open: list[StillOpen]
    evidence: Evidence | None = None

    @property
    def words(self) -> str:
        """In a line, without the claims."""
        spent = f"{duration(self.spent_s)} of {duration(self.budget_s)} spent"
        return f"{_ENDINGS[self.why]}; {spent}"


_ENDINGS = {
    "decided": "all claims that can be tested here are decided",
    "budget": "the budget allows no further look",
    "paused": "paused; the same command goes on from here",
    "exhausted": "more processes would decide none of the open claims",
}


class Done(NamedTuple):
    """``ending`` is None where there was no budget."""

    outcome: Outcome
    ending: Ending | None = None


def carry_out(
    request: Request,
    tell: Listener,
    sampler: Sampler | None = None,
    control: RunControl | None = None,
) -> Done:
    """Run a request: once through, and within its budget until its claims are decided.

    Raises RepliquantError, and KeyboardInterrupt after marking the cell that was cut off.
    """
    from orchestrator.running.execute import execute, session

    if request.budget_s is None:
        return Done(execute(request, tell, sampler, control))
    with session(request, tell, sampler, control) as held:
        measuring = _Measuring(held, request.budget_s, tell, bool(request.rerun))
        try:
            measuring.begin()
            ending = measuring.until_decided()
        finally:
            measuring.keep_spent()
        return Done(held.outcome, ending)


class _Measuring:
    """Measuring again in a run whose folder is held."""

    def __init__(self, held: Session, budget_s: float, tell: Listener, again: bool) -> None:
        self._held = held
        self._again = again
        self._budget_s = budget_s
        self._began_s = time.monotonic()
        manifests = results_of(held.prepared).manifests
        self._there = len(manifests)
        self._before_s = spent_by_starts_s(held.prepared.run, manifests)
        self._tell = tell
        self._chosen = {point_of(planned.cell) for planned in held.prepared.chosen}
        self._quadruples = 0
        self._known = -1
        self._waiting: list[PlannedCell] = []

    def begin(self) -> None:
        """Everything once where that leaves time for a look at every claim; else what takes none.

        A training that one claim wants would otherwise cost ten others their processes.
        """
        todo = self._held.outstanding
        able = [planned for planned in todo if not planned.skip]
        lacking = "" if self._again or not able else self._lacks_time_for(able)
        if not lacking:
            self._held.run_chosen()
            return
        skipped = [planned for planned in todo if planned.skip]
        if skipped:
            self._held.run_chosen(skipped)
        self._waiting = able
        told = f"no time for {lacking}: claim by claim, the cheapest first"
        self._tell(LogLine(told, "aim"))

    def _lacks_time_for(self, able: Sequence[PlannedCell]) -> str:
        """For measuring them once, or for the looks after it; nothing where it does not."""
        results = results_of(self._held.prepared)
        costs = Costs(results.plan, results.manifests)
        left_s = self._budget_s - self._before_s
        cells = count(len(able), "cell")
        seconds = once_s(able, costs)
        if seconds > left_s:
            return f"all {cells} once (about {duration(seconds)})"
        seconds = once_and_looks_s(results.plan, judge_claims(results), costs, able)
        if seconds > left_s:
            return f"{cells} once and a look at every claim (about {duration(seconds)})"
        return ""

    def until_decided(self) -> Ending:
        """As many claims as the budget allows, the soonest looked at first."""
        while True:
            results = read_results(self._held.prepared.run)
            evidence = judge_claims(results)
            undecided = still_open(results.plan, evidence.claims)
            found = [claim for claim in undecided if self._asked(claim)]
            costs = Costs(results.plan, results.manifests)
            spent = self._spent_s(results)
            begun = beginnings(results.plan, evidence, costs, self._waiting)
            able = complete(without_failed(found, results.manifests), begun)
            left_s = self._budget_s - spent
            reach = in_reach(begun, able, costs, left_s)
            batch = choose(reach.looks, costs, left_s)
            cells = self._once_next(begun, reach, costs, left_s, results)
            if self._held.paused or not (cells or batch) or not self._grew(results):
                why = self._why(found, able)
                return Ending(why, self._budget_s, spent, self._quadruples, found, evidence)
            if cells:
                self._measure_once(cells, whatever=not _any_ran(results))
            elif batch is not None:
                self._measure(batch, costs, results)

    def _once_next(
        self, begun: Sequence[Begin], reach: Reach, costs: Costs, left_s: float, results: Results
    ) -> Sequence[PlannedCell]:
        """What is measured for the first time; nothing where a quadruple comes before it.

        The first claim is begun whatever it takes. What is left in the end goes to what a larger
        budget begins with, and to what is in no claim.
        """
        new = cheapest(reach.begun if reach.begun or _any_ran(results) else begun, costs)
        soonest_s = min(map(costs.to_look, reach.looks), default=math.inf)
        if new is not None and new.seconds < soonest_s:
            self._tell(LogLine(new.words, "aim"))
            return new.missing
        if reach.looks:
            return ()
        following = cheapest(begun, costs)
        todo = [*(following.missing if following else ()), *self._waiting]
        return fitting(results.plan, todo, costs, left_s)

    def _measure_once(self, cells: Sequence[PlannedCell], whatever: bool) -> None:
        """As long as there is time for those that are left, which may take longer than they were
        expected to; or ``whatever`` they take.
        """
        held = self._held
        at_once = len(cells) if held.prepared.side_by_side else 1
        for place in range(0, len(cells), at_once):
            results = results_of(held.prepared)
            costs = Costs(results.plan, results.manifests)
            left_s = self._budget_s - self._spent_s(results)
            late = place and not whatever and once_s(cells[place:], costs) > left_s
            if held.paused or late:
                break
            now = cells[place : place + at_once]
            held.run_chosen(now)
            self._waiting = [one for one in self._waiting if one not in now]
        self._known = -1

    def _spent_s(self, results: Results) -> float:
        """What cells took in all starts; of this one also environments, and waiting for quiet."""
        elapsed_s = time.monotonic() - self._began_s
        return max(spent_s(results.manifests), self._before_s + elapsed_s)

    def keep_spent(self) -> None:
        """For the starts after this one, where this one has measured anything."""
        results = results_of(self._held.prepared)
        if len(results.manifests) != self._there:
            keep_spent(self._held.prepared.run, self._spent_s(results))

    def _grew(self, results: Results) -> bool:
        """Whether the last quadruple left manifests that can be read."""
        before, self._known = self._known, len(results.manifests)
        return self._known > before

    def _asked(self, claim: StillOpen) -> bool:
        """Whether all that it takes was asked for; of what more processes don't decide, any."""
        return claim.points <= self._chosen and bool(claim.cells & self._chosen)

    def _measure(self, batch: Batch, costs: Costs, results: Results) -> None:
        """One quadruple. What comes of it is judged when the next one is chosen."""
        aside = self._held.prepared.side_by_side
        cells = next_quadruple(results.plan, batch.points, costs, results.manifests, aside)
        self._tell(LogLine(aim(batch), "aim"))
        self._held.run_further(cells)
        self._quadruples += 1
        for line in disturbances(cells, self._held.prepared.run):
            self._tell(LogLine(line))

    def _why(self, found: Sequence[StillOpen], able: Sequence[StillOpen]) -> str:
        if self._held.paused:
            return "paused"
        if self._waiting or any(claim.comparisons for claim in able):
            return "budget"
        return "exhausted" if found else "decided"


def _any_ran(results: Results) -> bool:
    return any(manifest.status == "ok" for manifest in results.manifests)


def aim(batch: Batch) -> str:
    """``C10 open: 2 more processes of 3 cells, about 40 s``."""
    more, cells = batch.more, count(len(batch.points), "cell")
    processes = f"{more} more process{'es' if more != 1 else ''} a side"
    return f"{', '.join(batch.claims)} open: {processes} ({cells}), about {duration(batch.seconds)}"


def disturbances(cells: Sequence[PlannedCell], run: Run) -> list[str]:
    """Why a quadruple does not count, in a line; nothing where it does."""
    found = [manifest_or_none(run, planned.id) for planned in cells]
    names = {f.name: None for one in found if one is not None for f in one.flags if voids(f.name)}
    return [f"disturbed ({', '.join(names)}): this quadruple doesn't count"] if names else []


def complete(claims: Sequence[StillOpen], begun: Sequence[Begin]) -> list[StillOpen]:
    """Those all of whose cells were measured once."""
    lacking = {one.number for one in begun}
    return [claim for claim in claims if claim.number not in lacking]


def without_failed(claims: Sequence[StillOpen], manifests: Sequence[Manifest]) -> list[StillOpen]:
    """Those none of whose cells has failed: what fails once more brings no look closer."""
    ended = ("ok", "cancelled")
    failed = {point_of(one.cell) for one in manifests if one.status not in ended}
    return [claim for claim in claims if not claim.points & failed]
