"""Sealing a manifest: what a cell left, what was sampled beside it, and how it ended, in one file.

The launcher does it where the cell ran; the orchestrator only where the launcher left none.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

import msgspec

from machine.energy import per_item
from machine.memory_limit import in_words
from machine.recorder import Record
from manifests.cell import Cell
from manifests.codec import UnreadableError, read_manifest, write_manifest
from manifests.credentials import cleaned
from manifests.flags import impossible_flags
from manifests.manifest import (
    Context,
    Environment,
    Flag,
    Gpu,
    Inputs,
    Manifest,
    Metric,
    SealedBy,
    Status,
)

RESULT = "result.json"
"""The cell's own part of its manifest, as its process leaves it for the launcher."""

MANIFEST = "manifest.json"
_TAIL_BYTES = 4000
# What a C++ program says when an allocation failed and nobody caught it.
_BAD_ALLOC = "std::bad_alloc"


class End(NamedTuple):
    """How a cell's process, or its launcher's, ended: ``signal`` is 0 unless one killed it.

    ``oom`` says which memory ran out, if the kernel or the engine says that some did; ``lost``
    why nobody can tell how it ended. ``asked`` is the status and reason of who had it end.
    """

    code: int
    signal: int = 0
    oom: str = ""
    lost: str = ""
    asked: Optional[Tuple[Status, str]] = None


class Verdict(NamedTuple):
    """What a manifest says of a cell that left no word itself."""

    status: Status
    reason: str
    transient: bool = False


def judge(ended: End, said: str, limit_bytes: int = 0) -> Verdict:
    """Why there is no word of the cell itself; ``said`` is the end of what it printed.

    ``limit_bytes`` is what its recipe let it have. A kernel that ends it has run out before.
    """
    if ended.asked is not None:
        status, reason = ended.asked
        how = "had to be killed" if ended.signal == signal.SIGKILL else "left no manifest"
        return Verdict(status, f"{reason}; it {how}", status == "cancelled")
    if ended.lost:
        return Verdict("crashed", ended.lost, True)
    limit = f"its limit of {in_words(limit_bytes)}" if limit_bytes else ""
    if ended.oom and limit:
        reason = f"the kernel ended it before it was at {limit}: {ended.oom}"
        return Verdict("crashed", reason, True)
    if ended.oom:
        return Verdict("oom", f"the kernel ended it: {ended.oom}")
    if ended.signal == signal.SIGABRT and _BAD_ALLOC in said:
        at = f"at {limit}: " if limit else ""
        return Verdict("oom", f"{at}out of host memory: it ended itself with {_BAD_ALLOC}")
    if ended.signal:
        outside = ended.signal in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
        where = " from outside the runner" if outside else ""
        return Verdict("crashed", f"ended by {_name(ended.signal)}{where}", outside)
    return Verdict("crashed", f"ended with status {ended.code} and left no manifest")


def _name(number: int) -> str:
    """SIGKILL and the like; real-time signals have no names."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def left(folder: Path, name: str = RESULT) -> Optional[Manifest]:
    """What lies there under that name, if it is whole; else it is put aside."""
    path = folder / name
    try:
        return read_manifest(path)
    except FileNotFoundError:
        return None
    except (UnreadableError, OSError):
        path.rename(path.with_name(f"{path.stem}.unreadable.json"))
        return None


def concluded(
    cell: Cell,
    context: Context,
    verdict: Verdict,
    started_at: str,
    wall_s: float,
    error: str = "",
) -> Manifest:
    """The manifest of a cell that left no word itself."""
    weights = f"cell {cell.weights_from}" if cell.weights_from else "none"
    return Manifest(
        id=cell.id,
        cell=cell,
        status=verdict.status,
        reason=verdict.reason,
        error=error,
        transient=verdict.transient,
        started_at=started_at,
        wall_s=wall_s,
        metrics=[],
        context=context,
        environment=Environment(),
        inputs=Inputs(weights=weights, seeds={"seed": cell.seed}),
    )


def joined(manifest: Manifest, record: Optional[Record]) -> Manifest:
    """The manifest with telemetry, its flags and metrics, and the GPUs as NVML describes them."""
    if record is None:
        return manifest
    environment = _with_gpus(manifest.environment, record.gpus)
    metrics = [*manifest.metrics, *record.metrics]
    metrics += list(per_item(metrics, _seconds(manifest)))
    return msgspec.structs.replace(
        manifest,
        telemetry=record.telemetry,
        flags=_flags([*manifest.flags, *record.flags], metrics, environment),
        metrics=metrics,
        environment=environment,
    )


def _seconds(manifest: Manifest) -> Dict[str, float]:
    """How long each phase took, all of one name together."""
    found: Dict[str, float] = {}
    for phase in manifest.phases:
        found[phase.name] = found.get(phase.name, 0.0) + phase.seconds
    return found


def _flags(flags: List[Flag], metrics: Iterable[Metric], environment: Environment) -> List[Flag]:
    """With those for more than the machine has, which is known whole only now."""
    found = impossible_flags(list(metrics), environment.machine)
    return [*flags, *(flag for flag in found if flag not in flags)]


def _with_gpus(environment: Environment, gpus: List[Gpu]) -> Environment:
    """The kernel's driver tells only names; NVML tells more, where it tells anything."""
    if environment.machine is None or not gpus:
        return environment
    machine = msgspec.structs.replace(environment.machine, gpus=gpus)
    return msgspec.structs.replace(environment, machine=machine)


def seal(folder: Path, manifest: Manifest, sealed_by: SealedBy) -> Manifest:
    """Write the manifest, once and whole; what the cell left for it goes. Raises OSError."""
    whole = cleaned(msgspec.structs.replace(manifest, sealed_by=sealed_by)).manifest
    write_manifest(folder / MANIFEST, whole)
    try:
        (folder / RESULT).unlink()
    except FileNotFoundError:
        pass
    return whole


def last_words(folder: Path) -> str:
    """The end of what a cell printed, for the error text."""
    for name in ("stderr.txt", "log.txt"):
        try:
            with open(str(folder / name), "rb", opener=_unfollowed) as file:
                file.seek(0, 2)
                file.seek(max(0, file.tell() - _TAIL_BYTES))
                text = file.read().decode(errors="replace").strip()
        except OSError:
            continue
        if text:
            return text
    return ""


def _unfollowed(path: str, flags: int) -> int:
    """The cell may write there: no link is followed, no pipe is waited for."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)
