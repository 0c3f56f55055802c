"""What Slurm calls the states of a job, and what they mean for a cell.

https://slurm.schedmd.com/squeue.html#SECTION_JOB-STATE-CODES
"""

from __future__ import annotations

from typing import NamedTuple

from orchestrator.engines.base import State

_QUEUED = frozenset([
    "PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT",
    "CONFIGURING", "RESIZING",
])  # fmt: skip
_RUNNING = frozenset(["RUNNING", "COMPLETING", "STAGE_OUT", "SIGNALING", "SUSPENDED", "STOPPED"])
NODE_ENDS = frozenset(["NODE_FAIL", "BOOT_FAIL", "LAUNCH_FAILED"])


class Task(NamedTuple):
    """One task of an array. ``state`` is Slurm's word, ``reason`` its own, ``node`` where."""

    job: str
    number: int
    state: str
    reason: str = ""
    node: str = ""

    @property
    def name(self) -> str:
        """As Slurm writes it."""
        return f"{self.job}_{self.number}"

    @property
    def live(self) -> State:
        if self.state in _QUEUED:
            return "queued"
        return "running" if self.state in _RUNNING else "ended"


def queued_task(fields: list[str]) -> tuple[str, Task] | None:
    """The array's name and the task of a line of squeue; None for what is none of an array."""
    if len(fields) < 6 or not fields[2].isdigit():
        return None
    name, job, number, state, reason, node = fields[:6]
    return name, Task(job, int(number), state, reason, node)


def accounted_task(fields: list[str]) -> Task | None:
    """A task of a line of sacct. Those that wait stand there as ``12_[3-9]``: squeue has them."""
    job, line, number = fields[0].partition("_")
    if len(fields) < 4 or not line or not number.isdigit():
        return None
    words = fields[1].split()
    reason = " ".join(words[1:])  # CANCELLED by 1000
    return Task(job, int(number), words[0].rstrip("+") if words else "", reason, fields[3])
