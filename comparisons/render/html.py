"""Comparisons as one HTML page without scripts; opens from disk, pastes into a wiki."""

from __future__ import annotations

import html

from comparisons.comparison import Comparison, Line
from comparisons.render import values
from comparisons.render.groups import gathered

_STYLE = (
    "body{font:16px/1.4 system-ui,sans-serif;margin:2rem;color-scheme:light dark}"
    "table{border-collapse:collapse;margin:1rem 0}"
    "th,td{padding:.2rem .6rem;text-align:left;border-bottom:1px solid #8884}"
    ".number{text-align:right;font-variant-numeric:tabular-nums}"
)
_NUMBERS = ("published", "measured", "ratio", "n", "samples")


def render(comparisons: list[Comparison]) -> str:
    """All tables, a heading each."""
    body = "".join(_table(comparison) for comparison in comparisons)
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Published beside measured</title>\n<style>{_STYLE}</style>\n{body}</html>\n"
    )


def _table(comparison: Comparison) -> str:
    title = values.heading(comparison.title, comparison.place, comparison.scope)
    notes = [note for note in (comparison.scope_note, comparison.note) if note]
    return "\n".join(
        [
            f"<h2>{_text(title)}</h2>",
            *(f"<p>{_text(note)}</p>" for note in notes),
            *(_lines(comparison) if comparison.lines else _issues(comparison)),
            *(f"<p>{_text(reason)}</p>" for reason in values.reasons(comparison)),
            "",
        ]
    )


def _lines(comparison: Comparison) -> list[str]:
    header = [*comparison.key, "quantity", *_NUMBERS, "flags"]
    return _rows(header, [_fields(comparison, line) for line in gathered(comparison.lines)])


def _fields(comparison: Comparison, line: Line) -> list[str]:
    return [
        *(line.key[name] for name in comparison.key),
        line.quantity,
        values.published(line),
        values.measured(line),
        values.ratio(line),
        str(line.n),
        str(line.samples),
        values.flags(line),
    ]


def _issues(comparison: Comparison) -> list[str]:
    if not comparison.issues:
        return ["<p>(no rows)</p>"]
    header = list(comparison.issues[0])
    return _rows(header, [[issue[name] or "" for name in header] for issue in comparison.issues])


def _rows(header: list[str], rows: list[list[str]]) -> list[str]:
    kinds = [' class="number"' if name in _NUMBERS else "" for name in header]
    titles = zip(header, kinds, strict=True)
    head = "".join(f'<th scope="col"{kind}>{_text(name)}</th>' for name, kind in titles)
    body = [
        "".join(f"<td{kind}>{_text(field)}</td>" for field, kind in zip(row, kinds, strict=True))
        for row in rows
    ]
    return [
        f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>",
        *(f"<tr>{fields}</tr>" for fields in body),
        "</tbody>\n</table>",
    ]


def _text(plain: str) -> str:
    """No field breaks out of its place."""
    return html.escape(values.printable(plain))
