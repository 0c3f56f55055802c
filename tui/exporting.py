"""Writing tables to a file, for the command line and the screen."""

from __future__ import annotations

from pathlib import Path

from orchestrator.errors import InputError
from tables.comparison import Comparison


def tables_text(comparisons: list[Comparison], environments: list[str], format_: str) -> str:
    """The tables as md, csv, json or another of ``tables.render.TEXT_FORMATS``."""
    from tables.render import TEXT_FORMATS, markdown_footer

    text = TEXT_FORMATS[format_](comparisons)
    return text + markdown_footer(environments) if format_ == "md" else text


def write_tables(
    comparisons: list[Comparison], environments: list[str], format_: str, path: Path
) -> None:
    """Write them atomically. Raises InputError when ``path`` can't be written to."""
    from manifests.files import write_atomically

    text = tables_text(comparisons, environments, format_)
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise InputError(
            f"{path} can't be written to: {error.strerror}. Choose another file"
        ) from error
