"""``repliquant verify``: whether an archive is whole, and says what its raw samples say."""

from __future__ import annotations

from pathlib import Path

import click

from cli.commands.options import as_json


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def command(file: Path, as_json: bool) -> int:
    """Check FILE, which `bundle` made: every hash and schema; every table, claim and the report
    derived again from its raw samples and compared byte by byte.

    Needs nothing but the archive, which may come from anyone: it is unpacked within limits, into
    a temporary folder. Exit status 1 when something in it isn't right, 2 when it is no bundle.
    """
    from cli.console import print_json
    from comparisons.archive.verification import as_line
    from services.archives import check_archive
    from services.phrases import printable

    checks = []
    for check in check_archive(file):
        checks.append(check)
        if not as_json:
            click.echo(printable(as_line(check)))
    good = not any(check.wrong for check in checks)
    if as_json:
        print_json({"file": str(file), "good": good, "checks": [c._asdict() for c in checks]})
    else:
        click.echo(f"{file}: {'good' if good else 'NOT good'}")
    return 0 if good else 1
