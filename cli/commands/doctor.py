"""``repliquant doctor``: what this machine can run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.commands.options import as_json

if TYPE_CHECKING:
    from services.diagnosis import Diagnosis


@click.command("doctor")
@click.option("-v", "--verbose", is_flag=True, help="Show also what is as it should be.")
@click.option("--brief", is_flag=True, help="Only what is wrong, a line each.")
@click.option("--tune", is_flag=True, help="Print the commands that set it for measuring.")
@as_json
def command(as_json: bool, verbose: bool, brief: bool, tune: bool) -> int:
    """What this machine can run, what is not as it should be for measuring, and what to do.

    Nothing is changed, with --tune neither: its lines are for you to read and to run.
    """
    from cli.console import print_json
    from services.doctor import examine

    if tune:
        return _tune(as_json)
    found = list(examine(brief))
    if as_json:
        print_json([diagnosis._asdict() for diagnosis in found])
    elif brief:
        show_briefly(found)
    else:
        _show(found, verbose)
    return 3 if any(diagnosis.state == "problem" for diagnosis in found) else 0


def _show(found: list[Diagnosis], verbose: bool) -> None:
    from cli.console import out
    from services.tables import table

    shown = [diagnosis for diagnosis in found if verbose or diagnosis.wrong]
    if shown:
        columns = ("state", "what", "found", "next step")
        out().print(table("This machine", columns, shown))
    click.echo(_counted(found, verbose))


def show_briefly(found: list[Diagnosis], err: bool = False) -> None:
    """What is wrong, a line each; one line when nothing is."""
    from services.phrases import printable

    wrong = [one for one in found if one.wrong]
    for one in wrong:
        step = f" ({one.next_step})" if one.next_step else ""
        click.echo(printable(f"{one.state}: {one.what}: {one.detail}{step}"), err=err)
    if not wrong:
        looked_at = f"{len(found)} things looked at"
        click.echo(f"doctor: nothing is wrong with this machine ({looked_at})", err=err)


def _counted(found: list[Diagnosis], verbose: bool) -> str:
    """One line; notes are how it is here, and nothing is wrong with that."""
    from services.phrases import count

    notes = sum(diagnosis.state == "note" for diagnosis in found)
    good = len(found) - notes - sum(diagnosis.wrong for diagnosis in found)
    more = "" if verbose else "; all of it: repliquant doctor --verbose"
    return f"doctor: {good} of {len(found)} as they should be, {count(notes, 'note')}{more}"


def _tune(as_json: bool) -> int:
    from cli.console import print_json
    from services.measuring import tunings_here
    from services.phrases import printable
    from services.tuning import tuning_lines

    found, hidden = tunings_here()
    if as_json:
        print_json({"tunings": [item._asdict() for item in found], "not_shown": hidden})
        return 0
    for line in tuning_lines(found):
        click.echo(printable(line))
    if hidden:
        click.echo(printable(f"# can't be told here: {hidden}"))
    return 0
