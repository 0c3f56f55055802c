"""The script of an array, and what sbatch is asked for with it."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from orchestrator.engines.queue import Bundle
from orchestrator.engines.slurm.configuration import SlurmSettings

WARNING_S = 90
"""So long before its time limit a job is told."""

_EARLY_S = 60  # Slurm may tell it so much earlier
_START_S = 60.0  # what a cell's launcher, sampler and imports may take beside its own limit


def limit_minutes(bundles: Sequence[Bundle], settings: SlurmSettings) -> int:
    """What an array's jobs are asked for: the longest bundle, and no more than the settings say."""
    longest_s = max(bundle.limit_s + _START_S * len(bundle.jobs) for bundle in bundles)
    wanted = math.ceil((longest_s + WARNING_S + _EARLY_S) / 60)
    return min(wanted, minutes(settings.time)) if settings.time else wanted


def minutes(text: str) -> int:
    """A time as sbatch takes it: ``90``, ``1:30:00``, ``30:00`` (minutes and seconds), ``2-12``."""
    days, dash, rest = text.rpartition("-")
    parts = [int(part) for part in rest.split(":")]
    if dash:
        hours, mins = [*parts, 0][:2]
        return (int(days) * 24 + hours) * 60 + mins
    if len(parts) == 3:
        return max(1, parts[0] * 60 + parts[1] + math.ceil(parts[2] / 60))
    return max(1, parts[0] + (math.ceil(parts[1] / 60) if len(parts) == 2 else 0))


def directives(
    name: str, folder: Path, bundles: Sequence[Bundle], settings: SlurmSettings,
    cpus: int, requeues: bool, failed_nodes: Sequence[str],
) -> list[str]:  # fmt: skip
    """What stands behind ``#SBATCH`` in the script."""
    first = bundles[0]
    memory = first.jobs[0].order.memory_bytes
    wanted = {
        "job-name": name,
        "output": str(folder / "log" / "%a.txt"),
        "open-mode": "append",
        "nodes": "1",
        "ntasks": "1",
        "cpus-per-task": str(cpus),
        "time": str(limit_minutes(bundles, settings)),
        "signal": f"B:USR1@{WARNING_S}",
        "partition": settings.partition,
        "account": settings.account,
        "qos": settings.qos,
        "constraint": settings.constraint,
        "reservation": settings.reservation,
        "gres": settings.gres if first.on_gpu else "",
        "mem": f"{math.ceil(memory / 2**20)}M" if memory else "",
        "nodelist": first.node,
        "exclude": "" if first.node else ",".join(failed_nodes),
    }
    flags = ["requeue" if settings.requeue and requeues else "no-requeue"]
    flags += ["exclusive"] if settings.exclusive else []
    given = [f"--{key}={value}" for key, value in wanted.items() if value]
    return [*given, *(f"--{flag}" for flag in flags), *settings.extra]


def text(
    directives: Sequence[str], python: Path, variables: Mapping[str, str], folder: Path,
    settings: SlurmSettings,
) -> str:  # fmt: skip
    """The script. What it ends in takes its place, so that Slurm's signals reach that."""
    exports = [f"export {key}={shlex.quote(value)}" for key, value in sorted(variables.items())]
    return "\n".join([
        "#!/bin/sh",
        *(f"#SBATCH {line}" for line in directives),
        "# Nothing of the login's Python leads this one elsewhere.",
        r"for name in $(env | sed -n 's/^\(PYTHON[A-Za-z0-9_]*\)=.*/\1/p'); do unset $name; done",
        *exports,
        *settings.lines,
        f"exec {shlex.quote(str(python))} -m runners.bundle {shlex.quote(str(folder))}",
        "",
    ])  # fmt: skip


def array_options(tasks: int, at_once: int, after: Sequence[str]) -> list[str]:
    """Of sbatch, for each try."""
    several = f"%{at_once}" if at_once else ""
    waits = [f"--dependency=afterany:{':'.join(after)}"] if after else []
    return [f"--array=1-{tasks}{several}", *waits]
