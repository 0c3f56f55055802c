"""``repliquant doctor``: what this machine can run."""

from __future__ import annotations

import click

from cli.commands.options import as_json


@click.command("doctor")
@as_json
def command(as_json: bool) -> int:
    """What this machine can run, what it can't, and what to do about it."""
    from cli.console import out, print_json
    from services.doctor import examine
    from services.tables import table

    found = list(examine())
    if as_json:
        print_json([diagnosis._asdict() for diagnosis in found])
    else:
        columns = ("state", "what", "found", "next step")
        out().print(table("This machine", columns, found))
    return 3 if any(diagnosis.state == "problem" for diagnosis in found) else 0
