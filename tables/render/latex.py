"""Comparisons, claims and findings as LaTeX tables in the style of booktabs."""

from __future__ import annotations

from collections.abc import Sequence

from tables.comparison import Comparison, Line
from tables.render import words

PREAMBLE = "% \\usepackage{booktabs}\n"
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
    lines = [
        r"\begin{table}[ht]",
        r"\centering",
        rf"\caption{{{text(caption)}}}",
        rf"\label{{tab:{_label(label)}}}",
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _row(header),
        r"\midrule",
        *map(_row, rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _label(label: str) -> str:
    return "".join(c for c in label if c.isascii() and (c.isalnum() or c == "-"))


def _row(fields: list[str]) -> str:
    return " & ".join(text(field) for field in fields) + r" \\"


def render(comparisons: Sequence[Comparison]) -> str:
    """All tables; a comment names the package they need."""
    return PREAMBLE + "\n".join(_comparison(comparison) for comparison in comparisons)


def _comparison(comparison: Comparison) -> str:
    title = words.heading(comparison.title, comparison.place, comparison.scope)
    if not comparison.lines and comparison.issues:
        header = list(comparison.issues[0])
        rows = [[issue[name] or "" for name in header] for issue in comparison.issues]
        return table(comparison.id, title, "l" * len(header), header, rows)
    header = [*comparison.key, "quantity", "published", "measured", "ratio", "n"]
    columns = "l" * (len(comparison.key) + 1) + "rrrr"
    rows = [_fields(comparison, line) for line in comparison.lines]
    return table(comparison.id, title, columns, header, rows)


def _fields(comparison: Comparison, line: Line) -> list[str]:
    return [
        *(line.key[name] for name in comparison.key), line.quantity, words.published(line),
        words.measured(line), words.ratio(line), str(line.n),
    ]  # fmt: skip
