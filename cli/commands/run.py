"""``repliquant run``: run a study's cells, or go on with a run that was begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Unpack

import click

from cli.commands.options import as_json
from services.run_options import run_options

if TYPE_CHECKING:
    from pathlib import Path

    from comparisons.results import Evidence
    from manifests.manifest import Manifest
    from manifests.run_folder import Run
    from orchestrator.running.execute import Outcome
    from orchestrator.running.request import Prepared
    from services.results import Results
    from services.selection import RunChoices, RunOptions
    from services.until_decided import Done, Ending


@click.command("run")
@click.argument("study")
@run_options
@click.option(
    "--rerun",
    multiple=True,
    metavar="STATUS|CELL",
    help="Run cells of that status (e.g. crashed), or that cell, again. Repeatable.",
)
@click.option("--wait", is_flag=True, help="Follow cells in a queue to their end.")
@click.option(
    "--slurm",
    "slurm_settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="A setting of [slurm], e.g. partition=long (--engine slurm). Repeatable.",
)
@click.option("--tables", is_flag=True, help="Print the paper's tables and the ladder, too.")
@click.option("--report", is_flag=True, help="Write the report, a page that opens from disk.")
@click.option("--doctor", is_flag=True, help="Say first what is wrong with this machine.")
@click.option("-v", "--verbose", is_flag=True, help="Show every line of an installation.")
@as_json
def command(
    study: str,
    rerun: tuple[str, ...],
    doctor: bool,
    as_json: bool,
    verbose: bool,
    tables: bool,
    report: bool,
    wait: bool,
    slurm_settings: tuple[str, ...],
    **choices: Unpack[RunChoices],
) -> int:
    """Run the cells of STUDY that have no manifest yet. Stopping and starting again loses nothing.

    With --budget every cell is run once, however long that takes, and then, where claims are open,
    again in quadruples (A B B A), the cheapest that may decide first, until all that can be decided
    is or that long was spent: by cells of earlier starts, and by all of this one.

    With an engine that queues cells (slurm) it returns when all are submitted; the same command
    again goes on with them, and submits what is missing.

    It ends with one screen of verdicts. The paper's tables are in the run's folder (tables.md and
    its like).

    Exit status 1 when a cell failed (crashed, ran out of memory or time) or was kept from running
    by an environment, a container runtime or weights that are broken; 3 when nothing of what was
    chosen can run here. Beside cells that ran, one that this machine can't run is a result.
    """
    from cli.console import print_json
    from services.ending_words import ending_data
    from services.exports import save_tables
    from services.results import results_of
    from services.selection import options_of

    if slurm_settings:
        from orchestrator.engines.slurm.configuration import give

        give(slurm_settings)
    options = options_of(study, choices, rerun)
    options = options._replace(request=options.request._replace(wait=wait))
    if doctor:
        _look_at_machine(as_json)
    done = _execute(options, verbose)
    outcome = done.outcome
    results = results_of(outcome.prepared)
    evidence = done.ending.evidence if done.ending else None
    save_tables(results, evidence.comparisons if evidence else None)
    written = {"report": str(_report(results.run))} if report else {}
    counts = _counts(outcome.prepared, results.manifests)
    if as_json:
        executed = [{"id": m.id, "status": m.status, "reason": m.reason} for m in outcome.ended]
        print_json(
            {
                "run": str(results.run.folder),
                "executed": executed,
                "counts": counts,
                **({"waiting": outcome.waiting} if outcome.waiting else {}),
                **({"budget": ending_data(done.ending)} if done.ending else {}),
                **written,
            }
        )
    else:
        _print_counts(outcome, counts, results.warnings)
        _show(results, done.ending, tables, options.claim)
    return outcome.exit_status(results.manifests)


def _look_at_machine(as_json: bool) -> None:
    from cli.commands.doctor import show_briefly
    from services.doctor import examine

    show_briefly(list(examine(brief=True)), err=as_json)


def _execute(options: RunOptions, verbose: bool) -> Done:
    from cli.console import err
    from services.progress import Progress
    from services.selection import narrowed
    from services.until_decided import carry_out

    request = narrowed(options)
    try:
        with Progress(err(), verbose) as progress:
            return carry_out(request, progress)
    except KeyboardInterrupt:
        click.echo("finished cells are kept; the same command goes on from here", err=True)
        raise


def _report(run: Run) -> Path:
    """Where it is; written unless it stands there, newer than all that it is made from."""
    from cli.commands.report import write
    from services.reports import FORMATS, is_current

    return run.folder / FORMATS["html"] if is_current(run) else write(run)


def _show(results: Results, ending: Ending | None, tables: bool, claim: str) -> None:
    """Tables and the ladder where they are asked for, and a screen of verdicts; of one claim the
    verdict with all of its evidence.
    """
    from cli.commands.claims import show_claims, show_screen
    from cli.commands.explain import show_ladder
    from cli.commands.table import show_tables
    from services.verdict_screen import Shown

    if tables:
        show_tables(results)
        show_ladder(results)
    known = ending.evidence if ending and not claim else None
    judged = known or _judged(results, claim)
    if judged is not None and claim:
        show_claims(judged, full=True)
    elif judged is not None:
        show_screen(Shown(judged, results, ending))


def _judged(results: Results, claim: str) -> Evidence | None:
    """None where the study's claims can't be used: what was measured is as good as ever."""
    from cli.console import warn
    from papers.mistakes import PublishedError
    from services.results import judge_claims

    try:
        return judge_claims(results, claim)
    except PublishedError as error:
        warn([f"no verdicts: {error}"])
        return None


def _counts(prepared: Prepared, manifests: list[Manifest]) -> dict[str, int]:
    import collections

    chosen = {planned.id for planned in prepared.chosen}
    return dict(collections.Counter(m.status for m in manifests if m.id in chosen))


def _print_counts(outcome: Outcome, counts: dict[str, int], warnings: list[str]) -> None:
    from cli.console import err
    from services.phrases import count, printable

    console = err()
    for warning in warnings:
        console.print(printable(f"warning: {warning}"), markup=False)
    by_status = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    console.print(
        f"{count(len(outcome.ended), 'cell')} executed; of {len(outcome.prepared.chosen)}: "
        f"{by_status}",
        markup=False,
    )
    if outcome.waiting:
        run = outcome.prepared.run.folder
        console.print(
            f"{count(outcome.waiting, 'cell')} in the queue or running; see: repliquant status "
            f"{run}. The same command goes on from here",
            markup=False,
        )
