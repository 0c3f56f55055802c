"""``repliquant verify``: whether an archive is whole, and says what its raw samples say."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from tui.commands.options import as_json


@click.command("verify")
@click.argument("file", type=click.Path(path_type=Path))
@as_json
def command(file: Path, as_json: bool) -> int:
    """Check FILE, which `bundle` made: every hash and schema; every table, claim and the report
    derived again from its raw samples and compared byte by byte.

    Needs nothing but the archive, which may come from anyone: it is unpacked within limits, into
    a temporary folder. Exit status 1 when something in it isn't right, 2 when it is no bundle.
    """
    from orchestrator import places
    from orchestrator.errors import InputError
    from orchestrator.kit import describe
    from tables.archive import RefusedError, verify
    from tables.archive.verifying import as_line
    from tables.report.charts import script
    from tui.console import print_json
    from tui.words import printable

    checks = []
    with tempfile.TemporaryDirectory(prefix="repliquant-verify-") as folder:
        try:
            js, ours = (lambda: script(places.cache() / "charts")), describe()
            for check in verify(file, Path(folder), js, places.STUDIES, ours):
                checks.append(check)
                if not as_json:
                    click.echo(printable(as_line(check)))
        except RefusedError as error:
            raise InputError(printable(f"{file}: {error}")) from error
        except (FileNotFoundError, PermissionError) as error:
            raise InputError(f"{file} can't be read: {error.strerror}") from error
    good = not any(check.wrong for check in checks)
    if as_json:
        print_json({"file": str(file), "good": good, "checks": [c._asdict() for c in checks]})
    else:
        click.echo(f"{file}: {'good' if good else 'NOT good'}")
    return 0 if good else 1
