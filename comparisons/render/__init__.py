"""Comparisons as text: for the terminal (rich), Markdown, CSV, JSON, LaTeX and HTML."""

from __future__ import annotations

from collections.abc import Callable

from comparisons.comparison import Comparison
from comparisons.render import delimited, html, latex, markdown

markdown_footer = markdown.footer
TEXT_FORMATS: dict[str, Callable[[list[Comparison]], str]] = {
    "md": markdown.render,
    "csv": delimited.render_csv,
    "json": delimited.render_json,
    "latex": latex.render,
    "html": html.render,
}
FORMATS = ("rich", *TEXT_FORMATS)
