"""Repliquant's results, read from Python.

    import repliquant
    run = repliquant.read_run("runs/lad2023-quick-digits")
    run.manifests               the record of each cell, ordered by its id
    run.samples()               a long table, by columns: a row for each sample of each metric
    run.metrics()               the same with a row for each metric: n, median, minimum, maximum

Tables are dictionaries of lists, which ``pandas.DataFrame`` and ``polars.DataFrame`` take as they
are. Reading needs no framework, runs nothing, and changes nothing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from manifests.manifest import Manifest
    from manifests.plan import Plan

__all__ = ["RunRead", "read_run"]

_PLACE = os.path.dirname(os.path.abspath(__file__))


class RunRead(NamedTuple):
    """A run as it was when it was read. ``warnings`` has a line for each file left out."""

    id: str
    plan: Plan
    manifests: list[Manifest]
    warnings: list[str]

    def samples(self) -> dict[str, list[Any]]:
        """A row for each sample; columns as in docs/reading-results.md."""
        from manifests import tidy

        return tidy.samples(self.manifests)

    def metrics(self) -> dict[str, list[Any]]:
        """A row for each metric of each cell."""
        from manifests import tidy

        return tidy.metrics(self.manifests)


def read_run(folder: str | os.PathLike[str], cells: str = "") -> RunRead:
    """The plan and the manifests in a run's folder; ``cells`` chooses as ``-k`` does.

    Raises FileNotFoundError where ``folder`` is not a run's, ValueError for files that can't be
    read or for a wrong ``cells``.
    """
    _findable()
    from manifests.codec import UnreadableError
    from manifests.run_folder import Run
    from manifests.select import SelectionError, Selector

    run = Run(Path(folder))
    try:
        selector = Selector(cells) if cells else None
        plan = run.plan()
    except (UnreadableError, SelectionError) as error:
        raise ValueError(str(error)) from error
    loaded = run.load(selector)
    planned = {item.id for item in plan.cells}
    kept = [manifest for manifest in loaded.manifests if manifest.id in planned]
    return RunRead(run.id, plan, kept, loaded.warnings)


def _findable() -> None:
    """Our packages, behind everything that the caller's Python finds.

    Raises ImportError where the caller has a package of the same name.
    """
    if _PLACE not in sys.path:
        sys.path.append(_PLACE)
    import manifests

    found = os.path.dirname(os.path.dirname(os.path.abspath(manifests.__file__ or "")))
    if os.path.realpath(found) != os.path.realpath(_PLACE):
        raise ImportError(
            f"a package 'manifests' that is not Repliquant's comes first: {manifests.__file__}. "
            "Write the tables with 'repliquant export' and read the file"
        )


def _command_line() -> Callable[[], None]:
    """The console script's program. Its process is ours, so our packages come first."""
    sys.path.insert(0, _PLACE)
    from cli.main import main

    return main


def main() -> None:
    """``repliquant``."""
    _command_line()()
