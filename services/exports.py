"""Writing tables and other texts to a file, for the command line and the screen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from comparisons.comparison import Comparison, compare_tables, describe_environments
from manifests.errors import InputError
from manifests.manifest import Manifest

if TYPE_CHECKING:
    from orchestrator.running.request import Prepared


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


def save_tables(prepared: Prepared, manifests: list[Manifest]) -> None:
    """``tables.md`` and its like in the run's folder. Raises MachineError."""
    from comparisons.render import TEXT_FORMATS
    from manifests.files import write_atomically
    from manifests.paths import STUDIES
    from orchestrator.running.run_lock import disk_error
    from papers.published import load_published

    published = load_published(STUDIES / prepared.study.id)
    comparisons = compare_tables(published, prepared.plan, manifests, prepared.run.id)
    environments = describe_environments(manifests)
    folder = prepared.run.folder
    try:
        for name in TEXT_FORMATS:
            text = tables_text(comparisons, environments, name)
            write_atomically(folder / f"tables.{name}", text.encode())
    except OSError as error:
        raise disk_error(folder, error) from error
