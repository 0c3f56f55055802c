"""Comparisons, claims and findings as LaTeX tables in the style of booktabs.

A table is never wider than the line: columns that don't fit become paragraphs of a share of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from comparisons.comparison import Comparison, Line
from comparisons.render import values
from comparisons.render.groups import gathered
from comparisons.render.latex_widths import Fitting, fit

PREAMBLE = "% \\usepackage{array,booktabs}\n"
LONG_PREAMBLE = "% \\usepackage{array,booktabs,longtable}\n"
LONG = 36
"""Lines of text that fit a page; a longer table is broken over several, its header on each."""

_SMALL = r"\footnotesize\setlength{\tabcolsep}{0.4em}"
_RIGHT = ("published", "measured", "ratio", "n", "speedup")
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "^": r"\textasciicircum{}", "_": r"\_", "~": r"\textasciitilde{}", "%": r"\%",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''",
    "–": "--", "×": r"$\times$", "·": r"$\cdot$", "…": r"\ldots{}", "±": r"$\pm$", "[": "{[}",
    "]": "{]}", "−": "$-$", "≤": r"$\leq$", "≥": r"$\geq$", "→": r"$\to$", "÷": r"$\div$",
    "‘": "`", "’": "'", "“": "``", "”": "''", "\u200b": "{}",
}  # fmt: skip
_HYPHENS = re.compile("-(?=-)")
_UNNAMEABLE = re.compile("[^A-Za-z0-9.-]")
_NO_GLYPH = set("«»ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ")
"""Of Latin-1 and Latin Extended-A, what LaTeX's standard fonts don't have."""


def text(plain: str) -> str:
    """Nothing in it is a command; characters that LaTeX has no way of printing are marks."""
    shown = _HYPHENS.sub("-\u200b", values.printable(plain))  # which would become a dash
    return "".join(map(_character, shown))


def _character(one: str) -> str:
    if one in _SPECIAL:
        return _SPECIAL[one]
    if ord(one) < 0x80 or (ord(one) < 0x180 and one not in _NO_GLYPH):
        return one
    plain = unicodedata.normalize("NFKD", one)[:1]
    return plain if plain.isascii() and plain.isalnum() else "?"


def table(label: Sequence[str], caption: str, header: list[str], rows: list[list[str]]) -> str:
    """Fields are plain texts; columns that say nothing are left out.

    ``label`` is what tells it apart from all others, e.g. a study and a table of it.
    """
    shown = _speaking(header, rows)
    head, body = [header[n] for n in shown], [[row[n] for n in shown] for row in rows]
    fitting = fit(head, body)
    named = rf"\caption{{{text(caption)}}}", rf"\label{{{_label(label)}}}"
    lines = (
        [r"\toprule", _row(head, fitting), r"\midrule"],
        [*(_row(row, fitting) for row in body), r"\bottomrule"],
    )
    made = _long if fitting.lines > LONG else _float
    return "\n".join(made(_columns(head, fitting), *named, *lines)) + "\n"


def _speaking(header: list[str], rows: list[list[str]]) -> list[int]:
    """The numbers of the columns that have something on some row."""
    silent = {"", values.NONE}
    return [n for n in range(len(header)) if {row[n] for row in rows} - silent] or [0]


def _columns(header: list[str], fitting: Fitting) -> str:
    """LaTeX's own description of them."""
    made = []
    for name, share in zip(header, fitting.shares, strict=True):
        right = name in _RIGHT
        if share is None:
            made.append("r" if right else "l")
        else:
            ragged = r"\raggedleft" if right else r"\raggedright"
            made.append(rf">{{{ragged}\arraybackslash}}p{{{share:.3f}\linewidth}}")
    return rf"@{{}}{''.join(made)}@{{}}"


def _float(columns: str, caption: str, label: str, head: list[str], body: list[str]) -> list[str]:
    return [
        r"\begin{table}[htbp]", r"\centering", caption, label, _SMALL,
        rf"\begin{{tabular}}{{{columns}}}", *head, *body, r"\end{tabular}", r"\end{table}",
    ]  # fmt: skip


def _long(columns: str, caption: str, label: str, head: list[str], body: list[str]) -> list[str]:
    return [
        rf"\begingroup{_SMALL}\setlength{{\LTcapwidth}}{{\linewidth}}",
        rf"\begin{{longtable}}{{{columns}}}", caption, label + r" \\", *head, r"\endfirsthead",
        *head, r"\endhead", *body, r"\end{longtable}", r"\endgroup",
    ]  # fmt: skip


def _label(parts: Sequence[str]) -> str:
    kept = [_UNNAMEABLE.sub("", part) for part in parts]
    return ":".join(["tab", *(part for part in kept if part)])


def _row(fields: list[str], fitting: Fitting) -> str:
    made = [
        r"\allowbreak{}".join(map(text, fitting.pieces(n, field))) for n, field in enumerate(fields)
    ]
    return " & ".join(made) + r" \\"


def render(comparisons: Sequence[Comparison]) -> str:
    """All tables; a comment names the packages they need."""
    return with_preamble("\n".join(tables(comparisons)))


def with_preamble(made: str) -> str:
    """The comment that names the packages, then the tables."""
    return (LONG_PREAMBLE if r"\begin{longtable}" in made else PREAMBLE) + made


def tables(comparisons: Sequence[Comparison]) -> list[str]:
    """Each by itself, without the comment. The labels of several runs name the run too."""
    several = len({comparison.run for comparison in comparisons}) > 1
    return [_comparison(comparison, several) for comparison in comparisons]


def _comparison(comparison: Comparison, name_run: bool) -> str:
    title = values.heading(comparison.title, comparison.place, comparison.scope)
    label = [comparison.study, comparison.run if name_run else "", comparison.id]
    if not comparison.lines and comparison.issues:
        header = list(comparison.issues[0])
        rows = [[issue[name] or "" for name in header] for issue in comparison.issues]
        return table(label, title, header, rows)
    header = [*comparison.key, "quantity", "published", "measured", "ratio", "n", "flags"]
    rows = [_fields(comparison, line) for line in gathered(comparison.lines)]
    return table(label, title, header, rows)


def _fields(comparison: Comparison, line: Line) -> list[str]:
    return [
        *(line.key[name] for name in comparison.key), line.quantity, values.published(line),
        values.measured(line), values.ratio(line), str(line.n), values.flags(line),
    ]  # fmt: skip
