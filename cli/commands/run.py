"""``repliquant run``: run a study's cells, or go on with a run that was begun."""

from __future__ import annotations

from typing import Any

import click

from cli.commands.options import as_json, run_options


@click.command("run")
@click.argument("study")
@run_options
@click.option(
    "--rerun",
    multiple=True,
    metavar="STATUS|CELL",
    help="Run cells of that status (e.g. crashed), or that cell, again. Repeatable.",
)
@click.option("--tables", is_flag=True, help="End with tables, the ladder, verdicts, a report.")
@click.option("-v", "--verbose", is_flag=True, help="Show every line of an installation.")
@as_json
def command(as_json: bool, verbose: bool, tables: bool, **choices: Any) -> int:
    """Run the cells of STUDY that have no manifest yet. Stopping and starting again loses nothing.

    Exit status 1 when a cell failed (crashed, ran out of memory or time) or was kept from running
    by an environment, a container runtime or weights that are broken; 3 when nothing of what was
    chosen can run here. Beside cells that ran, one that this machine can't run is a result.
    """
    from cli.console import err, print_json
    from cli.progress import Progress
    from orchestrator.running.execute import execute
    from services.exports import save_tables
    from services.selection import narrowed, wish_of

    wish = wish_of(choices)
    request = narrowed(wish)
    try:
        with Progress(err(), verbose) as progress:
            outcome = execute(request, progress)
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
        if tables or wish.claim:
            _show(outcome.prepared, tables, wish.claim)
    return outcome.exit_status(loaded.manifests)


def _show(prepared: Any, tables: bool, claim: str) -> None:
    """Tables, the ladder, verdicts and where the report is; of one claim the verdict alone."""
    from cli.commands.claims import show_claims
    from cli.commands.explain import show_ladder
    from cli.commands.report import write_report
    from cli.commands.table import show_run
    from services.runs import evidence_of

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
    from cli.console import err
    from services.phrases import count, printable

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
