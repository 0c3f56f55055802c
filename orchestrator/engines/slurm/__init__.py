"""The engine ``slurm``: cells wait in a cluster's queue, and nobody has to stay.

What has to be read by nodes (the checkout, the cache with environments and data, the run's folder)
lies on a file system that they share. docs/cluster.md has the way from a clone to a table.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from orchestrator.engines.base import Engine, Entry, Finding, Handle, Standing

__all__ = ["ENGINE"]

_STATUS_S = 0.7
"""Who only asks for a status is not kept waiting by a scheduler that doesn't answer."""
_EXAMINE_S = 5.0
"""Nor is who asks what this machine has; Slurm's own commands wait for 40 s and more."""


def _make() -> Engine:
    from orchestrator.engines.slurm.engine import SlurmEngine

    return SlurmEngine()


def _with_python(python: Path) -> Engine:
    from orchestrator.engines.interpreter import GivenEngine
    from orchestrator.engines.slurm.engine import SlurmEngine

    return SlurmEngine(GivenEngine(python))


def _examine() -> Iterator[Finding]:
    """Nothing where there is no Slurm: most machines have none."""
    if shutil.which("sbatch") is None:
        return
    from manifests.errors import RepliquantError
    from orchestrator.engines.slurm.client import Client
    from orchestrator.engines.slurm.engine import SlurmEngine

    try:
        engine = SlurmEngine(client=Client(_EXAMINE_S, tries=1))
        cpus = len(engine.capacity().cpus)
    except RepliquantError as error:
        yield Finding("note", "slurm", str(error), "only --engine slurm needs it")
        return
    detail = f"{engine.words}; {cpus} processors a node; arrays of {engine.limits.most} at most"
    yield Finding("ok", "slurm", detail)


def _standings(handles: Mapping[Path, Handle]) -> dict[Path, Standing]:
    """Where Slurm doesn't answer at once, what the folders say."""
    from orchestrator.engines.slurm.client import Client
    from orchestrator.engines.slurm.configuration import read_settings
    from orchestrator.engines.slurm.tasks import Tasks

    tasks = Tasks(Client(_STATUS_S, tries=1), read_settings())
    for folder, handle in handles.items():
        tasks.know(handle, folder)
    return {folder: tasks.standing(handle) for folder, handle in handles.items()}


ENGINE = Entry(_make, with_python=_with_python, examine=_examine, standings=_standings)
