"""Writing tables and other texts to a file, for the command line and the screen."""

from __future__ import annotations

from pathlib import Path

from comparisons.comparison import Comparison
from manifests.errors import InputError
from services.results import Results, compare_with_paper, environment_lines
from services.up_to_date import up_to_date


def tables_text(comparisons: list[Comparison], environments: list[str], format_: str) -> str:
    """The tables as md, csv, json or another of ``comparisons.render.TEXT_FORMATS``."""
    from comparisons.render import TEXT_FORMATS, markdown_footer

    text = TEXT_FORMATS[format_](comparisons)
    return text + markdown_footer(environments) if format_ == "md" else text


def write_text(path: Path, text: str) -> None:
    """Write it atomically. Raises InputError when ``path`` can't be written to."""
    from manifests.files import write_atomically

    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise unwritable(path, error) from error


def unwritable(path: Path, error: OSError) -> InputError:
    """What to say of a file that a person named and that can't be written."""
    return InputError(f"{path} can't be written to: {error.strerror}. Choose another file")


def save_tables(results: Results, comparisons: list[Comparison] | None = None) -> None:
    """``tables.md`` and its like in the run's folder, where they are not up to date.

    ``comparisons`` are made from the results where the caller has none. Raises MachineError.
    """
    from comparisons.render import TEXT_FORMATS
    from orchestrator.running.run_lock import disk_error

    if up_to_date(results.run, map(_tables_name, TEXT_FORMATS)):
        return
    if comparisons is None:
        comparisons = compare_with_paper(results)
    try:
        _write_tables(results, comparisons)
    except OSError as error:
        raise disk_error(results.run.folder, error) from error


def _write_tables(results: Results, comparisons: list[Comparison]) -> None:
    from comparisons.render import TEXT_FORMATS
    from manifests.files import write_atomically

    environments = environment_lines([results])
    for name in TEXT_FORMATS:
        text = tables_text(comparisons, environments, name)
        write_atomically(results.run.folder / _tables_name(name), text.encode())


def _tables_name(format_: str) -> str:
    return f"tables.{format_}"
