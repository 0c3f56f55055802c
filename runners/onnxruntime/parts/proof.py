"""What really ran: the kernels of some calls under the runtime's own profiler."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import List, NamedTuple

from runners.job import Job
from runners.onnxruntime.parts.profiles import Run, operations_of, read_profile
from runners.onnxruntime.parts.sessions import Source, calling, opened
from runners.precision_proof import ProfiledCall, latency_of, record_call, record_proof

CALLS = 10
_FIRST = 2
"""Calls that are profiled and left out, of slow ones one: the first plans its memory."""


class Profiled(NamedTuple):
    """``whole_s``: seconds of each call as the caller saw it."""

    runs: List[Run]
    whole_s: List[float]


def prove(job: Job, model: Source, promised: str, calls: int = CALLS) -> None:
    """Profile calls on a batch of the cell's size; set the job's proof, by count and by time.

    The model is opened anew: the session that was timed does not profile.
    """
    if job.promises(promised, model):
        return
    with job.phase("profile"):
        found = profiled(job, model, calls)
    source = f"ONNX Runtime's profile of its kernels, mean of {len(found.runs)} calls"
    operations = operations_of(found.runs)
    record_proof(job, promised, operations, source)
    middle = sorted(found.whole_s)[len(found.whole_s) // 2]
    inside = sum(run.seconds for run in found.runs) / len(found.runs)
    record_call(job, operations, ProfiledCall(inside, middle), latency_of(job), source)


def profiled(job: Job, model: Source, calls: int) -> Profiled:
    """The last ``calls`` of some more. Raises ValueError where the profile has no call."""
    with tempfile.TemporaryDirectory() as folder:
        runtime = opened(job, model, str(Path(folder) / "profile"))
        session = calling(job, runtime)
        inputs = session.place(job.data.normalise(job.data.timed(job.cell.batch_size)))
        whole_s = []
        first = min(_FIRST, calls)
        for _ in range(first + calls):
            begin = time.perf_counter()
            session.call(inputs)
            whole_s.append(time.perf_counter() - begin)
        runs = read_profile(Path(runtime.end_profiling()))
    if len(runs) != len(whole_s):
        raise ValueError(f"ONNX Runtime's profile has {len(runs)} of {len(whole_s)} calls")
    return Profiled(runs[first:], whole_s[first:])
