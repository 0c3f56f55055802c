"""Holding a cell to the memory that its recipe gives it: what fits on a smaller device?

As a device's memory holds what a framework allocates beside what the framework itself takes there,
the limit counts the whole process, and is set when the framework has been imported.
"""

from __future__ import annotations

import contextlib
from typing import Iterator, Optional

from machine.memory_limit import in_words, keeping, private_bytes, refusal
from runners.failures import NotNow, Unsupported, Verdict
from runners.job import Job

FIELD = "memory_limit_bytes"
SETTING = "RLIMIT_DATA"


@contextlib.contextmanager
def limited(job: Job) -> Iterator[None]:
    """Inside, the process has as much as the recipe says; all there is where it says nothing.

    Raises Unsupported where something else would end the cell before the limit does, ValueError
    for a limit that is none.
    """
    limit_bytes = _asked_bytes(job)
    if not limit_bytes:
        yield
        return
    _refuse(job, limit_bytes)
    with keeping(limit_bytes) as kept:
        if not kept:
            raise Unsupported(f"this kernel keeps no limit of memory ({in_words(limit_bytes)})")
        job.settings[SETTING] = str(limit_bytes)
        yield


def _asked_bytes(job: Job) -> int:
    asked = job.cell.recipe.get(FIELD, 0)
    if isinstance(asked, bool) or not isinstance(asked, int) or asked < 0:
        raise ValueError(f"{FIELD} is {asked!r}, expected a whole number of bytes, 0 for no limit")
    return asked


def _refuse(job: Job, limit_bytes: int) -> None:
    if job.cell.device != "cpu":
        raise Unsupported(
            f"{FIELD} limits what a processor's cell may have; a GPU has memory of its own"
        )
    found = refusal(limit_bytes)
    if found is not None:
        raise (NotNow if found.passing else Unsupported)(found.reason)


def free_share(job: Job) -> Optional[float]:
    """What is left of the limit now, 0 ... 1; None where none was set.

    Asked where an error is judged, which still holds what the cell held.
    """
    used = private_bytes()
    if SETTING not in job.settings or used is None:
        return None
    return max(0.0, 1 - used / int(job.settings[SETTING]))


def telling_limit(verdict: Verdict, job: Job) -> Verdict:
    """The reason of an ``oom`` names the limit that memory ran out at."""
    if verdict.status != "oom" or SETTING not in job.settings:
        return verdict
    limit = in_words(int(job.settings[SETTING]))
    return verdict._replace(reason=f"at the limit of {limit}: {verdict.reason}")
