"""The arrays of a run as they lie in its folder: ``slurm/<n>/``.

Each has its bundles, its script, the number that sbatch gave it, and a log for each task. A task's
number begins at 1 in each array, because MaxArraySize caps the number itself; which cells it is
for stands in the array's own folder.
"""

from __future__ import annotations

import datetime
import os
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from manifests import bundle as written
from manifests.files import write_atomically
from manifests.msgspec_threads import looked_at
from orchestrator.engines.base import Handle
from orchestrator.engines.live_cells import write_handle
from orchestrator.engines.queue import Bundle
from orchestrator.engines.slurm.client import submitted_job

FOLDER = "slurm"
ANSWER = "job.txt"
SCRIPT = "job.sh"
_FACTS = "array.json"
_FAILED = "failed-nodes.txt"


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is the jobs' name in Slurm and occurs once; ``tasks`` is what was asked for."""

    name: str
    tasks: int
    day: str


class Array(NamedTuple):
    """One array of a run."""

    folder: Path
    facts: Facts

    @property
    def run(self) -> Path:
        """The run's folder."""
        return self.folder.parent.parent

    @property
    def job(self) -> str:
        """Slurm's number; empty when it never answered."""
        return submitted_job(self.folder / ANSWER)

    def log(self, number: int) -> Path:
        """What the task printed."""
        return self.folder / "log" / f"{number}.txt"

    def holds(self, tasks: int) -> Array:
        """Of which Slurm took only so many tasks."""
        facts = msgspec.structs.replace(self.facts, tasks=tasks)
        _write_facts(self.folder, facts)
        return self._replace(facts=facts)


class Ticket(NamedTuple):
    """Array and task of a handle."""

    array: str
    task: int


def run_of(cell_folder: Path) -> Path:
    """The run's folder of a cell's."""
    return cell_folder.parent.parent


def ticket(handle: Handle) -> Ticket:
    return Ticket(handle.known.get("array", ""), int(handle.known.get("task", "0")))


def create(run: Path, tasks: int) -> Array:
    """A folder of a number that no array of the run has. Raises OSError."""
    base = run / FOLDER
    base.mkdir(exist_ok=True)
    number = max((int(name) for name in os.listdir(base) if name.isdigit()), default=0) + 1
    folder = base / str(number)
    (folder / "log").mkdir(parents=True)
    day = datetime.date.today().isoformat()
    facts = Facts(name=f"rq-{uuid.uuid4().hex[:12]}", tasks=tasks, day=day)
    _write_facts(folder, facts)
    return Array(folder, facts)


def fill(
    array: Array, bundles: Sequence[Bundle], launchers: Sequence[list[list[str]]],
    engine: str, exclusive: bool, late_s: float,
) -> None:  # fmt: skip
    """The bundles' file, then a handle for each cell. Raises OSError."""
    lines = []
    for number, (bundle, commands) in enumerate(zip(bundles, launchers, strict=True), start=1):
        cells = [
            written.BundledCell(
                cell=job.order.cell,
                folder=str(job.order.folder),
                handle=_handle_name(array, number, place),
                launcher=command,
                needs=[str(job.order.weights)] if job.order.weights else [],
            )
            for place, (job, command) in enumerate(zip(bundle.jobs, commands, strict=True))
        ]
        whole = written.Bundle(cells=cells, exclusive=exclusive, late_s=late_s)
        lines.append(msgspec.json.encode(whole) + b"\n")
    write_atomically(array.folder / written.FILE_NAME, b"".join(lines))
    for number, bundle in enumerate(bundles, start=1):
        for place, job in enumerate(bundle.jobs):
            name = _handle_name(array, number, place)
            known = {"array": array.folder.name, "task": str(number)}
            handle = Handle(engine=engine, cell=job.order.cell, name=name, known=known)
            write_handle(job.order.folder, handle, durable=False)


def _handle_name(array: Array, number: int, place: int) -> str:
    return f"{array.facts.name}-{number}-{place}"


def load(run: Path, number: str) -> Array | None:
    """An array of the run; None where there is none that can be read."""
    folder = run / FOLDER / number
    try:
        data = (folder / _FACTS).read_bytes()
        return Array(folder, msgspec.json.decode(data, type=looked_at(Facts)))
    except (OSError, msgspec.MsgspecError):
        return None


def failed_nodes(run: Path) -> list[str]:
    """Nodes that failed under cells of the run."""
    try:
        return list(dict.fromkeys((run / FOLDER / _FAILED).read_text().split()))
    except OSError:
        return []


def add_failed_node(run: Path, node: str) -> None:
    nodes = [*failed_nodes(run), node]
    write_atomically(run / FOLDER / _FAILED, "".join(f"{n}\n" for n in nodes).encode())


def _write_facts(folder: Path, facts: Facts) -> None:
    write_atomically(folder / _FACTS, msgspec.json.encode(facts) + b"\n")
