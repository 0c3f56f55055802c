"""Holding a run's folder: one orchestrator at a time, one plan, and what a full disk says."""

from __future__ import annotations

import contextlib
import datetime
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from manifests.codec import UnreadableError, write_plan
from manifests.errors import InputError, MachineError
from manifests.plan import Plan, PlannedCell
from manifests.run_folder import Run
from orchestrator.file_lock import HeldError, exclusive

# What two starts on one folder must have in common, or their numbers would be mixed.
_SAME = {
    "study": "study",
    "tier": "tier",
    "protocol": "protocol",
    "dataset": "data set",
    "data_sha256": "images of SHA-256",
    "threads": "threads",
}


@contextlib.contextmanager
def opened(run: Run, plan: Plan) -> Iterator[None]:
    """Hold the run's folder and store the plan. Raises InputError or MachineError."""
    try:
        run.cells.mkdir(parents=True, exist_ok=True)
        with exclusive(run.folder / "lock"):
            store_plan(run, plan)
            yield
    except HeldError as error:
        raise InputError(
            f"{run.folder} is in use by {error.holder or 'another process'}. "
            "Wait for it, or choose another folder with --run"
        ) from None
    except OSError as error:
        raise disk_error(run.folder, error) from error


def disk_error(folder: Path, error: OSError) -> MachineError:
    """What to say when the run's folder can't be written to."""
    steps = {
        errno.ENOSPC: "Free some space and start again: finished cells are kept",
        errno.EROFS: "Choose another folder with --run",
        errno.EACCES: "Choose another folder with --run, or fix its permissions",
    }
    step = steps.get(error.errno or 0, "Fix the cause and run again: finished cells are kept")
    return MachineError(f"{folder} can't be written to: {error.strerror or error}. {step}")


def store_plan(run: Run, plan: Plan) -> None:
    """Refuse another run's folder; keep an earlier plan with cells that this one doesn't have."""
    try:
        old = run.plan()
    except FileNotFoundError:
        write_plan(run.plan_path, plan)
        return
    except UnreadableError as error:
        raise InputError(f"{error}. Choose another folder with --run, or remove the file") from None
    plan = _with_estimates_kept(run, old, plan)
    if old == plan:
        return  # what was made from it stays newer than it
    for field, words in _SAME.items():
        before, now = str(getattr(old, field))[:80], str(getattr(plan, field))[:80]
        same_images = field == "data_sha256" and _same_images(old, plan)
        if getattr(old, field) != getattr(plan, field) and not same_images:
            raise InputError(
                f"{run.folder} holds a run with {words} {before}; this one has {now}. "
                "Choose another folder with --run"
            )
    if {planned.id for planned in old.cells} - {planned.id for planned in plan.cells}:
        stamp = datetime.datetime.now(datetime.UTC).strftime("%Y%m%dT%H%M%S.%fZ")
        os.replace(run.plan_path, run.folder / f"plan.until-{stamp}.json")
    write_plan(run.plan_path, plan)


def _with_estimates_kept(run: Run, old: Plan, plan: Plan) -> Plan:
    """How long a cell will take is settled once it has a manifest; later estimates follow it."""
    before = {item.id: item for item in old.cells if run.manifest_path(item.id).exists()}
    return msgspec.structs.replace(
        plan, cells=[_estimated_as(before.get(item.id), item) for item in plan.cells]
    )


def _estimated_as(before: PlannedCell | None, planned: PlannedCell) -> PlannedCell:
    if before is None:
        return planned
    return msgspec.structs.replace(
        planned, estimate_s=before.estimate_s, study_estimate_s=before.study_estimate_s,
        estimate_source=before.estimate_source,
    )  # fmt: skip


def _same_images(old: Plan, plan: Plan) -> bool:
    """Whether the packs that both have are the same: a plan may have images at further sizes."""
    both = old.packs.keys() & plan.packs.keys()
    return bool(both) and all(old.packs[name] == plan.packs[name] for name in both)
