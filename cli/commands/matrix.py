"""``repliquant matrix``: what can be quantized, by what, and whether it then really is."""

from __future__ import annotations

import string
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.commands.options import as_json, in_format

if TYPE_CHECKING:
    from comparisons.matrix import Matrix
    from services.support import Support

_MOST_LISTED = 4
"""Features whose outcomes are listed one by one, with what ran or was said."""


@click.command("matrix")
@click.argument("of", required=False, default="", metavar="[STUDY|RUN]")
@click.option("--framework", "frameworks", multiple=True, help="One framework. Repeatable.")
@click.option("--technique", "techniques", multiple=True, help="One technique. Repeatable.")
@click.option("--feature", "features", multiple=True, help="One feature, e.g. lstm. Repeatable.")
@click.option("--works-in", default="", help="Only features that this framework or technique runs.")
@click.option("--not-in", default="", help="Only features that this one doesn't.")
@in_format(("rich", "md", "csv", "json", "html"))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to a file.")
@as_json
def command(
    of: str,
    frameworks: tuple[str, ...],
    techniques: tuple[str, ...],
    features: tuple[str, ...],
    works_in: str,
    not_in: str,
    format_: str,
    output: Path | None,
    as_json: bool,
) -> None:
    """Which features each technique really quantizes, by the probes of a run (default: the
    latest one that has any).

    With --feature, each outcome with the operations that ran or the framework's own words.
    """
    from cli.console import warn
    from services.support import Asked, support

    asked = Asked(frameworks, techniques, features, works_in, not_in)
    found = support(of, asked)
    warn(found.warnings)
    format_ = "json" if as_json else format_
    if format_ == "rich" and output is None:
        _show(found)
        return
    text = _text(found, "md" if format_ == "rich" else format_)
    if output is None:
        click.echo(text, nl=False)
        return
    from services.exports import write_text

    write_text(output, text)
    click.echo(f"written: {output}", err=True)


def _text(found: Support, format_: str) -> str:
    from comparisons.render import matrix

    title = f"Support matrix of {found.run.id}"
    if format_ == "csv":
        return matrix.as_csv(found.matrix)
    if format_ == "json":
        return matrix.as_json(found.matrix)
    if format_ == "html":
        return matrix.as_html(title, found.matrix)
    return matrix.as_markdown(title, found.matrix)


def _show(found: Support) -> None:
    from cli.console import out
    from comparisons.matrix import begun
    from comparisons.render.matrix import legend

    whole, found = found, found._replace(matrix=begun(found.matrix))
    matrix = found.matrix
    if not matrix.columns:
        out().print(f"run {found.run.id}: none of its probes has run", markup=False)
        return
    if len(matrix.features) <= _MOST_LISTED:
        _list(found)
    else:
        _grid(found)
    versions = dict(
        sorted({pair for entry in matrix.entries.values() for pair in entry.versions.items()})
    )
    console = out()
    console.print(legend(whole.matrix).replace("; ", "\n"), markup=False, highlight=False)
    told = " · ".join(f"{name} {version}" for name, version in versions.items())
    console.print(f"run {found.run.id}: {told}" if told else f"run {found.run.id}", markup=False)


def _list(found: Support) -> None:
    from cli.console import out
    from comparisons.render.matrix import LIST_HEADER, entries, list_row
    from services.tables import table

    rows = [list_row(entry) for entry in entries(found.matrix)]
    title = f"{found.run.id} · {', '.join(found.matrix.features)}"
    out().print(table(title, LIST_HEADER, rows, right=("dB",), least=("dB",)))


def _grid(found: Support) -> None:
    from cli.console import out
    from comparisons.render.matrix import sign
    from services.tables import table

    matrix = found.matrix
    letters = _letters(matrix)
    rows = [
        [name, *(sign(matrix.at(name, column)) for column in matrix.columns)]
        for name in matrix.features
    ]
    console = out()
    console.print(table(found.run.id, ["feature", *letters], rows))
    keys = zip(letters, matrix.columns, strict=True)
    console.print("   ".join(f"{letter} {column.title}" for letter, column in keys), markup=False)


def _letters(matrix: Matrix) -> list[str]:
    """A short name for each column."""
    alphabet = string.ascii_lowercase + string.ascii_uppercase
    return [
        alphabet[place] if place < len(alphabet) else str(place)
        for place in range(len(matrix.columns))
    ]
