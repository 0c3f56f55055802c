"""A run's tidy tables as files that other tools read."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from manifests import tidy
from manifests.errors import InputError, MachineError
from manifests.manifest import Manifest
from services.exports import unwritable, write_text

TABLES: dict[str, Callable[[Sequence[Manifest]], dict[str, tidy.Column]]] = {
    "samples": tidy.samples,
    "metrics": tidy.metrics,
}
FORMATS = ("csv", "parquet")


def as_csv(columns: dict[str, tidy.Column]) -> str:
    """A head, and a line a row. Missing is an empty field; floats are written so that they come
    back as the same number."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue()


def write_table(path: Path, columns: dict[str, tidy.Column], format_: str) -> None:
    """Write ``columns`` to ``path``.

    Raises InputError for a file that can't be written, MachineError where polars is missing.
    """
    if format_ == "csv":
        write_text(path, as_csv(columns))
    else:
        _write_parquet(path, columns)


def _write_parquet(path: Path, columns: dict[str, tidy.Column]) -> None:
    try:
        import polars
    except ImportError as error:
        raise MachineError(
            "Parquet needs polars, which isn't installed. Install it (pip install polars), "
            "or use --format csv"
        ) from error
    frame = polars.DataFrame({name: _uniform(column) for name, column in columns.items()})
    beside = path.with_name(f".{path.name}.part")
    try:
        frame.write_parquet(beside)
        beside.replace(path)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        beside.unlink(missing_ok=True)


def _uniform(column: tidy.Column) -> list[Any]:
    """One type a column: a recipe's values may be numbers in one cell and texts in another."""
    kinds = {type(value) for value in column if value is not None}
    if kinds <= {int, float} and float in kinds:
        return [None if value is None else float(value) for value in column]
    return column if len(kinds) <= 1 else [None if v is None else str(v) for v in column]


def check_format(format_: str, output: Path | None) -> None:
    """Raises InputError where binary data would go to a terminal or a pipe."""
    if format_ == "parquet" and output is None:
        raise InputError("Parquet is not text: name a file with -o FILE")
