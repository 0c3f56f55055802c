"""``repliquant run``: run a study's cells, or go on with a run that was begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tui.commands.options import as_json, request_options, resource_options


@click.command("run")
@click.argument("study")
@request_options
@click.option("--engine", default="auto", show_default=True, help="Where: auto, docker, local.")
@click.option(
    "--python",
    type=click.Path(path_type=Path),
    help="Run cells with this interpreter in place of the images (--engine local).",
)
@click.option(
    "--rerun",
    multiple=True,
    metavar="STATUS|CELL",
    help="Run cells of that status (e.g. crashed), or that cell, again. Repeatable.",
)
@click.option("--threads", type=click.IntRange(0, 4096), default=0, help="0: all processors.")
@resource_options
@click.option(
    "--claim",
    default="",
    help="Only the cells of one claim (C2, or its id); ends with its verdict.",
)
@click.option("--sample", is_flag=True, help="Only the quickest cell of each environment.")
@click.option("--tables", is_flag=True, help="End with tables, the ladder, verdicts, a report.")
@click.option("-v", "--verbose", is_flag=True, help="Show every line of an installation.")
@as_json
def command(
    as_json: bool, verbose: bool, tables: bool, claim: str, sample: bool, **choices: Any
) -> int:
    """Run the cells of STUDY that have no manifest yet. Stopping and starting again loses nothing.

    Exit status 1 when a cell failed (crashed, ran out of memory or time), 3 when an image could
    not be made; a cell that this machine can't run is a result.
    """
    from orchestrator.sessions import Request, execute
    from tui.console import err, print_json
    from tui.exporting import save_tables
    from tui.progress import Progress

    if claim:
        choices["expression"] = _cells_of(claim, choices)
    if sample:
        choices["expression"] = _quickest(choices)
    try:
        with Progress(err(), verbose) as progress:
            outcome = execute(Request(**choices), progress)
    except KeyboardInterrupt:
        click.echo("finished cells are kept; the same command goes on from here", err=True)
        raise
    loaded = outcome.prepared.run.load()
    save_tables(outcome.prepared, loaded.manifests)
    counts = _counts(outcome.prepared, loaded.manifests)
    if as_json:
        executed = [{"id": m.id, "status": m.status, "reason": m.reason} for m in outcome.ended]
        folder = str(outcome.prepared.run.folder)
        print_json({"run": folder, "executed": executed, "counts": counts})
    else:
        _say(outcome.prepared, counts, len(outcome.ended), loaded.warnings)
        if tables or claim:
            _show(outcome.prepared, tables, claim)
    if outcome.images_missing:
        return 3
    return 1 if any(counts.get(s) for s in ("crashed", "oom", "timeout", "cancelled")) else 0


def _cells_of(claim: str, choices: dict[str, Any]) -> str:
    """What chooses the cells behind a claim, and of those what ``-k`` chooses."""
    from orchestrator.errors import InputError
    from orchestrator.places import STUDIES
    from orchestrator.sessions import Request, prepare
    from tables.evidence import gather

    prepared = prepare(Request(**{**choices, "expression": ""}))
    (judged,) = gather(STUDIES / choices["study"], prepared.plan, claim=claim).claims
    if not judged.cells:
        why = judged.claim.untestable or "its tests name no cell of this tier"
        raise InputError(f"claim {judged.number} ({judged.claim.id}) has nothing to run: {why}")
    given = f"({choices['expression']}) and " if choices["expression"] else ""
    return f"{given}id={','.join(judged.cells)}"


def _quickest(choices: dict[str, Any]) -> str:
    """What chooses, for each image, the cell that takes least with all it starts from."""
    from orchestrator.errors import InputError
    from orchestrator.sessions import Request, prepare

    planned = {item.id: item for item in prepare(Request(**choices)).chosen if not item.skip}
    whole: dict[str, float] = {}
    for item in planned.values():  # a plan lists a cell after the one it starts from
        whole[item.id] = item.estimate_s + sum(whole.get(need, 0.0) for need in item.needs)
    best: dict[str, str] = {}
    for item in planned.values():
        if item.image not in best or whole[item.id] < whole[best[item.image]]:
            best[item.image] = item.id
    if not best:
        raise InputError("no cell of this study can run here. See: repliquant doctor")
    return f"id={','.join(best.values())}"


def _show(prepared: Any, tables: bool, claim: str) -> None:
    """Tables, the ladder, verdicts and where the report is; of one claim the verdict alone."""
    from tui.commands.claims import show_claims
    from tui.commands.explain import show_ladder
    from tui.commands.report import write_report
    from tui.commands.table import show_run
    from tui.runs import evidence_of

    if tables:
        show_run(prepared.study.id, prepared.run)
        show_ladder(prepared.study.id, prepared.run)
    show_claims(evidence_of(prepared.study.id, prepared.run, claim), full=bool(claim))
    if tables:
        click.echo(f"report: {write_report(prepared.run)}")


def _counts(prepared: Any, manifests: list[Any]) -> dict[str, int]:
    import collections

    chosen = {planned.id for planned in prepared.chosen}
    return dict(collections.Counter(m.status for m in manifests if m.id in chosen))


def _say(prepared: Any, counts: dict[str, int], executed: int, warnings: list[str]) -> None:
    from tui.console import err
    from tui.words import count, printable

    console = err()
    for warning in warnings:
        console.print(printable(f"warning: {warning}"), markup=False)
    told = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    folder = prepared.run.folder
    console.print(
        f"{count(executed, 'cell')} executed; of {len(prepared.chosen)}: {told}. "
        f"Tables and manifests: {folder}",
        markup=False,
    )
    console.print(f"Next: repliquant table {prepared.study.id} {folder}", markup=False)
