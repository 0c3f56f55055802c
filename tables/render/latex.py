"""Comparisons, claims and findings as LaTeX tables in the style of booktabs."""

from __future__ import annotations

from collections.abc import Sequence

from tables.comparison import Comparison, Line
from tables.render import words
from tables.render.grouping import gathered

PREAMBLE = "% \\usepackage{booktabs}\n"
LONG_PREAMBLE = "% \\usepackage{booktabs,longtable}\n"
LONG = 40
"""Rows that fit a page; a longer table is broken over several, with its header on each."""

_WIDE = 30
_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "^": r"\textasciicircum{}", "_": r"\_", "~": r"\textasciitilde{}", "%": r"\%",
    "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\textquotedbl{}",
    "–": "--", "×": r"$\times$", "·": r"$\cdot$", "…": r"\ldots{}", "±": r"$\pm$", "[": "{[}",
    "]": "{]}",
}  # fmt: skip


def text(plain: str) -> str:
    """Nothing in it is a command; characters that LaTeX has no way of printing are marks."""
    shown = words.printable(plain)
    return "".join(_SPECIAL.get(c, c if ord(c) < 0x250 else "?") for c in shown)


def table(label: str, caption: str, columns: str, header: list[str], rows: list[list[str]]) -> str:
    """``columns`` is LaTeX's own description of them; fields are plain texts."""
    named = rf"\caption{{{text(caption)}}}", rf"\label{{tab:{_label(label)}}}"
    body = [r"\toprule", _row(header), r"\midrule"], [*map(_row, rows), r"\bottomrule"]
    made = _long if len(rows) > LONG else _float
    return "\n".join(made(columns, *named, *body)) + "\n"


def _float(columns: str, caption: str, label: str, head: list[str], body: list[str]) -> list[str]:
    return [
        r"\begin{table}[ht]", r"\centering", caption, label, rf"\begin{{tabular}}{{{columns}}}",
        *head, *body, r"\end{tabular}", r"\end{table}",
    ]  # fmt: skip


def _long(columns: str, caption: str, label: str, head: list[str], body: list[str]) -> list[str]:
    return [
        rf"\begin{{longtable}}{{{columns}}}", caption, label + r" \\", *head, r"\endfirsthead",
        *head, r"\endhead", *body, r"\end{longtable}",
    ]  # fmt: skip


def _label(label: str) -> str:
    return "".join(c for c in label if c.isascii() and (c.isalnum() or c == "-"))


def _row(fields: list[str]) -> str:
    return " & ".join(text(field) for field in fields) + r" \\"


def render(comparisons: Sequence[Comparison]) -> str:
    """All tables; a comment names the packages they need."""
    return with_preamble("\n".join(tables(comparisons)))


def with_preamble(made: str) -> str:
    """The comment that names the packages, then the tables."""
    return (LONG_PREAMBLE if r"\begin{longtable}" in made else PREAMBLE) + made


def tables(comparisons: Sequence[Comparison]) -> list[str]:
    """Each by itself, without the comment."""
    return [_comparison(comparison) for comparison in comparisons]


def _comparison(comparison: Comparison) -> str:
    title = words.heading(comparison.title, comparison.place, comparison.scope)
    if not comparison.lines and comparison.issues:
        header = list(comparison.issues[0])
        rows = [[issue[name] or "" for name in header] for issue in comparison.issues]
        return table(comparison.id, title, "l" * len(header), header, rows)
    header = [*comparison.key, "quantity", "published", "measured", "ratio", "n"]
    lines = gathered(comparison.lines)
    wide = any(len(line.quantity) > _WIDE for line in lines)
    columns = "l" * len(comparison.key) + (r"p{0.25\linewidth}" if wide else "l") + "rrrr"
    rows = [_fields(comparison, line) for line in lines]
    return table(comparison.id, title, columns, header, rows)


def _fields(comparison: Comparison, line: Line) -> list[str]:
    return [
        *(line.key[name] for name in comparison.key), line.quantity, words.published(line),
        words.measured(line), words.ratio(line), str(line.n),
    ]  # fmt: skip
