"""What would decide a claim, as a run that can be started from where the claim is read."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from comparisons.claims.open_work import open_work
from comparisons.claims.verdicts import DECIDED, NOT_MEASURED
from comparisons.render.verdict_rows import decisive
from papers.expressions.quantities import UNCLEAR
from services.phrases import duration
from services.run_options import command_line
from tui import run_form

if TYPE_CHECKING:
    from comparisons.claims import Judged
    from services.selection import RunOptions
    from tui.loaders import ShownRun

_LEAST_BUDGET_S = 600.0


class Decision(NamedTuple):
    """``options`` are what is to be run; None where nothing that can be run decides it."""

    options: RunOptions | None
    lines: list[str]


def decision(judged: Judged, options: RunOptions, results: ShownRun | None) -> Decision:
    """The claim's cells where they were never run; further processes where they leave it open."""
    verdict, _ = decisive(judged)
    if verdict.state in DECIDED:
        return Decision(None, [f"{judged.number} is decided: {verdict.state}."])
    if judged.claim.untestable:
        return Decision(None, [f"{judged.number} can't be tested: {judged.claim.untestable}"])
    here = _same_run(options, results)._replace(claim=judged.number, sample=False)
    if verdict.state == NOT_MEASURED:
        told = [f"{judged.number} is not measured: {verdict.reason}.", "Its cells are run once."]
        return _with_command(here, told)
    if verdict.state != UNCLEAR or not any(one.within_reach for one in verdict.wanted):
        reason = verdict.would_decide or verdict.reason
        return Decision(None, [f"No run within reach decides {judged.number}: {reason}"])
    seconds = sum(work.seconds for work in open_work([judged]))
    budget_s = max(_LEAST_BUDGET_S, math.ceil(2 * seconds / 60) * 60.0)
    told = [
        f"{judged.number} is undecided: {verdict.reason}.",
        f"What would decide it: {verdict.would_decide}.",
        f"It is measured again until it is decided, for {duration(budget_s)} at most.",
    ]
    return _with_command(here._replace(request=here.request._replace(budget_s=budget_s)), told)


def _same_run(options: RunOptions, results: ShownRun | None) -> RunOptions:
    """Going on in the run that the verdict is on."""
    if results is None:
        return options
    request = options.request._replace(tier=results.plan.tier, run_dir=results.run.folder)
    return options._replace(request=request)


def _with_command(options: RunOptions, told: list[str]) -> Decision:
    line = command_line(options.request.study, run_form.texts(options))
    return Decision(options, [*told, "", line])
