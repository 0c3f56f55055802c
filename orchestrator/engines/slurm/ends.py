"""How a task's end is told of a cell: its manifest first, then its marker, then what Slurm says."""

from __future__ import annotations

import re
import time
from pathlib import Path

import msgspec

from machine.seal import MANIFEST
from manifests.bundle import BEGUN, END, Begun, End
from orchestrator.engines.base import Exit
from orchestrator.engines.slurm.states import NODE_ENDS, Task

_STATUS = re.compile(rb'"status":"([a-z]+)"')
_HEAD_BYTES = 65536
_FROM_THE_END_BYTES = 2000


def sealed_status(folder: Path) -> str:
    """Of the manifest in a cell's folder, empty without one. The known path is opened: a listing
    of the folder may be older than the file."""
    try:
        with open(folder / MANIFEST, "rb") as file:
            found = _STATUS.search(file.read(_HEAD_BYTES))
    except OSError:
        return ""
    return found[1].decode() if found else "unreadable"


def begun(folder: Path) -> Begun | None:
    try:
        return msgspec.json.decode((folder / BEGUN).read_bytes(), type=Begun)
    except (OSError, msgspec.MsgspecError):
        return None


def marker(folder: Path, handle: str) -> End | None:
    """How this attempt's launcher ended, once it has."""
    try:
        found = msgspec.json.decode((folder / END).read_bytes(), type=End)
    except (OSError, msgspec.MsgspecError):
        return None
    return found if found.handle == handle else None


def settled_since(folder: Path, log: Path) -> float:
    """Seconds since anything of a cell or of its task's log was last seen to change."""
    changed = [_changed(path) for path in (folder, folder / BEGUN, folder / "events.jsonl", log)]
    return time.time() - max(changed)


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def end_of(folder: Path, handle: str, task: Task | None, log: Path, late_s: float) -> Exit:
    """Of a cell whose task has ended, once late files would have been seen."""
    if sealed_status(folder):
        return Exit(0)
    ended = marker(folder, handle)
    witness = ended.manifest_sha256 if ended else printed_sha256(log, folder.name)
    if witness:
        where = f"on {ended.node}" if ended else f"({log.name})"
        return Exit(0, lost=(
            f"its job {where} says that it left a manifest (SHA-256 {witness[:12]}), which "
            f"has not appeared here within {late_s:g} s"
        ))  # fmt: skip
    if ended is not None:
        return Exit(ended.code, ended.signal)
    return _by_state(task, begun(folder), log)


def printed_sha256(log: Path, cell: str) -> str:
    """The hash of the cell's manifest as the task's log has it: the second witness."""
    found = re.findall(rf"^{cell} ([0-9a-f]{{64}})$", _tail(log, 1 << 20), re.MULTILINE)
    return found[-1] if found else ""


def _by_state(task: Task | None, cell: Begun | None, log: Path) -> Exit:
    """Neither manifest nor marker: what Slurm says of its job."""
    if task is None:
        return Exit(0, lost=f"Slurm knows nothing of its job any more{_said(log)}")
    if task.state == "CANCELLED":
        by = f" ({task.reason})" if task.reason.startswith("by ") else ""
        return Exit(0, verdict=("cancelled", f"its job {task.name} was cancelled in Slurm{by}"))
    if task.state in NODE_ENDS:
        return Exit(0, lost=f"node {task.node} failed under its job {task.name} ({task.state})")
    if cell is None:
        return Exit(0, lost=f"its job {task.name} ended ({task.state}) before it began{_said(log)}")
    if task.state == "OUT_OF_MEMORY":
        where = f"Slurm ended its job {task.name} at its memory limit (OUT_OF_MEMORY)"
        return Exit(0, oom=True, where=where)
    if task.state in ("TIMEOUT", "DEADLINE"):
        reason = f"Slurm ended its job {task.name} at the job's time limit ({task.state})"
        # Where others of its bundle have used up the time, the cell itself has not.
        return Exit(0, lost=reason) if cell.place else Exit(0, verdict=("timeout", reason))
    return Exit(0, lost=f"its job {task.name} ended ({task.state}) without a word{_said(log)}")


def _said(log: Path) -> str:
    lines = _tail(log, _FROM_THE_END_BYTES).strip().splitlines()
    return f"; its log ends: {lines[-1].strip()[:200]}" if lines else ""


def _tail(path: Path, most_bytes: int) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - most_bytes))
            return file.read().decode(errors="replace")
    except OSError:
        return ""
