"""Making an archive of a run and checking one, for the command line and the screen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from orchestrator import places
from orchestrator.errors import InputError
from orchestrator.kit import describe
from tables.archive import RefusedError, verify, write_bundle
from tables.archive.bundling import Sources
from tables.report.charts import script
from tui.exporting import unwritable
from tui.runs import plan_of
from tui.words import count, printable, size

if TYPE_CHECKING:
    from manifests.store import Run
    from tables.archive import Bundled, Check


def archive_name(run: Run) -> Path:
    """Where an archive goes unless it is told otherwise: the working directory."""
    return Path(f"{run.folder.absolute().name}.crate.zip")


def bundle(run: Run, target: Path, artifacts: bool) -> Bundled:
    """Write the archive. Raises InputError for a run or a file that can't be used."""
    plan = plan_of(run)
    sources = Sources(run, places.STUDIES / plan.study, places.IMAGES)
    try:
        return write_bundle(sources, plan, target, describe(), _script, artifacts)
    except RefusedError as error:
        raise InputError(f"the archive of {run.id} {error}") from error
    except OSError as error:
        raise unwritable(target, error) from error


def contents(made: Bundled, artifacts: bool) -> str:
    """What an archive holds and what was left out, in a line."""
    told = f"{count(made.files, 'file')}, {size(made.size_bytes)}"
    if made.redacted:
        told += f"; {printable(made.redacted)}"
    if not made.left_out:
        return told
    what = "file" if artifacts else "model"
    return f"{told}; left out: {count(len(made.left_out), what)} (their hashes are in)"


def check_archive(file: Path) -> Iterator[Check]:
    """Everything that is looked at, one after another. Raises InputError for no archive."""
    with tempfile.TemporaryDirectory(prefix="repliquant-verify-") as folder:
        try:
            yield from verify(file, Path(folder), _script, places.STUDIES, describe())
        except RefusedError as error:
            raise InputError(printable(f"{file}: {error}")) from error
        except (FileNotFoundError, PermissionError) as error:
            raise InputError(
                f"{file} can't be read: {error.strerror}. Give a file that repliquant bundle wrote"
            ) from error


def _script() -> str:
    return script(places.cache() / "charts")
