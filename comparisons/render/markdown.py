"""Comparisons as GitHub-flavoured Markdown."""

from __future__ import annotations

import re

from comparisons.comparison import Comparison
from comparisons.render import values
from comparisons.render.groups import gathered

_SPECIAL = re.compile(r"([\\|`*_<>\[\]])")


def render(comparisons: list[Comparison]) -> str:
    """All tables, a heading each; ends with a newline."""
    return "\n".join(_table(comparison) for comparison in comparisons)


def footer(environments: list[str]) -> str:
    """What the columns mean, and where the numbers were measured."""
    legend = (
        "ratio = measured / published; n = processes; samples = readings behind the medians; "
        "[interval of 95 % over processes, or over test images for an accuracy]"
    )
    return "".join(f"\n{text(line)}\n" for line in (legend, *dict.fromkeys(environments)))


def _table(comparison: Comparison) -> str:
    title = values.heading(comparison.title, comparison.place, comparison.scope)
    parts = [f"### {text(title)}", ""]
    parts += [f"{text(note)}\n" for note in (comparison.scope_note, comparison.note) if note]
    parts += _lines(comparison) if comparison.lines else _issues(comparison)
    parts += [f"\n{text(reason)}" for reason in values.reasons(comparison)]
    return "\n".join(parts) + "\n"


def _lines(comparison: Comparison) -> list[str]:
    header = [
        *comparison.key,
        "quantity",
        "published",
        "measured",
        "ratio",
        "n",
        "samples",
        "flags",
    ]
    rows = [
        [
            *(line.key[name] for name in comparison.key),
            line.quantity,
            values.published(line),
            values.measured(line),
            values.ratio(line),
            str(line.n),
            str(line.samples),
            values.flags(line),
        ]
        for line in gathered(comparison.lines)
    ]
    aligns = ["---"] * (len(comparison.key) + 1) + ["---:"] * 5 + ["---"]
    return [_row(header), "| " + " | ".join(aligns) + " |", *(_row(row) for row in rows)]


def _issues(comparison: Comparison) -> list[str]:
    if not comparison.issues:
        return ["(no rows)"]
    header = list(comparison.issues[0])
    body = [_row([issue[name] or "" for name in header]) for issue in comparison.issues]
    return [_row(header), "| " + " | ".join("---" for _ in header) + " |", *body]


def _row(fields: list[str]) -> str:
    return "| " + " | ".join(text(field) for field in fields) + " |"


def text(plain: str) -> str:
    """No field breaks out of its place."""
    return _SPECIAL.sub(r"\\\1", values.printable(plain))


def simple_table(title: str, header: list[str], rows: list[list[str]]) -> str:
    """A heading and a table of texts; ends with a newline."""
    rule = "| " + " | ".join("---" for _ in header) + " |"
    return "\n".join([f"### {text(title)}", "", _row(header), rule, *map(_row, rows)]) + "\n"
