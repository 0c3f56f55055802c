"""Comparisons as text: for the terminal (rich), Markdown, CSV, JSON and LaTeX."""

from __future__ import annotations

from collections.abc import Callable

from tables.comparison import Comparison
from tables.render import delimited, latex, markdown

markdown_footer = markdown.footer
TEXT_FORMATS: dict[str, Callable[[list[Comparison]], str]] = {
    "md": markdown.render,
    "csv": delimited.render_csv,
    "json": delimited.render_json,
    "latex": latex.render,
}
FORMATS = ("rich", *TEXT_FORMATS)
