"""What Slurm gave to the job that this process is part of, by its variables and by NVML.

https://slurm.schedmd.com/sbatch.html (output environment variables). Inside a job's control group
GPUs are numbered anew, so only their UUIDs say which ones they are; since 25.11 Slurm itself puts
UUIDs into CUDA_VISIBLE_DEVICES.
"""

from __future__ import annotations

import os
import socket
import subprocess
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence

from machine.allotment import is_uuid, place
from manifests.allocation import Allocation
from manifests.manifest import Gpu

_ASK_S = 20.0


class Others(NamedTuple):
    """How many other jobs are on the node; None with the ``reason`` where nobody can tell."""

    jobs: Optional[int]
    reason: str = ""


def job_name(environment: Mapping[str, str] = os.environ) -> str:
    """``1043_7`` in an array, else ``1043``; empty outside of Slurm."""
    array = environment.get("SLURM_ARRAY_JOB_ID", "")
    if array:
        return f"{array}_{environment.get('SLURM_ARRAY_TASK_ID', '')}"
    return environment.get("SLURM_JOB_ID", "")


def node_name(environment: Mapping[str, str] = os.environ) -> str:
    """As Slurm calls it: several of its nodes may be one machine."""
    return environment.get("SLURMD_NODENAME") or socket.gethostname()


def restarts(environment: Mapping[str, str] = os.environ) -> int:
    """How often the job was begun before."""
    told = environment.get("SLURM_RESTART_COUNT", "")
    return int(told) if told.isdigit() else 0


def allocation(
    exclusive: bool,
    gpus: Sequence[str] = (),
    gpus_reason: str = "",
    environment: Mapping[str, str] = os.environ,
) -> Allocation:
    """Of this process' job. ``exclusive`` is what was asked for, ``gpus`` are UUIDs."""
    others = Others(0) if exclusive else other_jobs(environment)
    cpus = environment.get("SLURM_CPUS_ON_NODE", "")
    reasons = {"others": others.reason, "gpus": gpus_reason}
    return Allocation(
        scheduler="slurm",
        job=job_name(environment),
        node=node_name(environment),
        cluster=environment.get("SLURM_CLUSTER_NAME", ""),
        partition=environment.get("SLURM_JOB_PARTITION", ""),
        account=environment.get("SLURM_JOB_ACCOUNT", ""),
        qos=environment.get("SLURM_JOB_QOS", ""),
        cpus=int(cpus) if cpus.isdigit() else None,
        gpus=list(gpus),
        exclusive=exclusive,
        others=others.jobs,
        restarts=restarts(environment),
        reasons={what: why for what, why in reasons.items() if why},
    )


def other_jobs(environment: Mapping[str, str] = os.environ) -> Others:
    """The scheduler is asked once; one that doesn't answer keeps no cell from running."""
    node = node_name(environment)
    command = ["squeue", "--noheader", f"--nodelist={node}", "--states=RUNNING", "--format=%A"]
    try:
        done = subprocess.run(
            command, capture_output=True, stdin=subprocess.DEVNULL, timeout=_ASK_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Others(None, f"squeue did not answer: {error}")
    if done.returncode:
        return Others(None, f"squeue failed: {done.stderr.decode(errors='replace').strip()[:200]}")
    own = environment.get("SLURM_JOB_ID", "")
    return Others(len([one for one in done.stdout.decode().split() if one != own]))


class Allotted(NamedTuple):
    """UUIDs of a job's GPUs, or why they are not known."""

    uuids: List[str]
    reason: str = ""


def allotted_gpus(entries: Sequence[str], there: Dict[int, Gpu]) -> Allotted:
    """The GPUs of a job by UUID. ``entries`` are those of its list, ``there`` what NVML shows.

    Where no more can be seen than was allotted, what is seen is that, whatever its numbers.
    """
    if all(is_uuid(entry) for entry in entries):
        return Allotted(list(entries))
    known = {number: gpu.uuid for number, gpu in there.items() if gpu.uuid}
    if len(entries) == len(there) == len(known):
        return Allotted([known[number] for number in sorted(known)])
    placed = place(entries, there)
    found = [known[number] for number in placed.numbers if number in known]
    if len(found) == len(entries):
        return Allotted(found)
    return Allotted([], placed.reason or f"NVML tells no UUID of GPU {', '.join(entries)}")
