"""Making an archive of a run and checking one, for the command line and the screen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from comparisons.archive import RefusedError, verify, write_bundle
from comparisons.archive.writer import Sources
from comparisons.report.charts import script
from manifests import paths
from manifests.errors import InputError
from orchestrator.version import describe
from services.exports import unwritable
from services.phrases import count, printable, size
from services.runs import plan_of

if TYPE_CHECKING:
    from comparisons.archive import Bundled, Check
    from manifests.run_folder import Run


def archive_name(run: Run) -> Path:
    """Where an archive goes unless it is told otherwise: the working directory."""
    return Path(f"{run.folder.absolute().name}.crate.zip")


def bundle(run: Run, target: Path, artifacts: bool) -> Bundled:
    """Write the archive. Raises InputError for a run or a file that can't be used."""
    plan = plan_of(run)
    sources = Sources(run, paths.STUDIES / plan.study, paths.IMAGES)
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
            yield from verify(file, Path(folder), _script, paths.STUDIES, describe())
        except RefusedError as error:
            raise InputError(printable(f"{file}: {error}")) from error
        except (FileNotFoundError, PermissionError) as error:
            raise InputError(
                f"{file} can't be read: {error.strerror}. Give a file that repliquant bundle wrote"
            ) from error


def _script() -> str:
    return script(paths.cache() / "charts")
