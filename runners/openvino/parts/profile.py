"""The proof of precision: a few calls with the plug-in's counters on, and what it then tells."""

from __future__ import annotations

import time
from typing import Any, List

import numpy as np

from runners.failures import Unsupported
from runners.job import Job
from runners.openvino.parts import compiled, runtime_model
from runners.precision_proof import ProfiledCall, latency_of, record_call, record_proof

_WARM_CALLS = 5
_CALLS = 20
_SHOWN = 3
"""Of what ran instead, in the reason for a failed proof."""


def prove(
    job: Job, network: Any, promised: str, hint: str, calls: int = _CALLS, required: bool = True
) -> None:
    """Call ``network`` on a black batch and set the job's proof; after an inference, the times of
    its operations too.

    Raises Unsupported where nothing at all ran in the promised type, unless that isn't
    ``required``: such a row isn't what it says.
    """
    with job.phase("profile"):
        made = compiled.compiled(job, network, hint, counted=True)
        ready = compiled.session(network, made)
        placed = ready.place(_black(job))
        _timed(ready, placed, _WARM_CALLS)
        warm = steps_of(made)
        samples = _timed(ready, placed, calls)
        whole = steps_of(made)
    steps = runtime_model.after_warm_up(warm, whole, _WARM_CALLS, _WARM_CALLS + calls)
    _record(job, steps, promised, samples)
    if required:
        _require(job, hint, str(made.get_property(compiled.HINT).to_string()))


def steps_of(made: Any) -> List[runtime_model.Step]:
    """The operations of a compiled network, in the order of execution."""
    found = []
    for node in made.get_runtime_model().get_ordered_ops():
        notes = node.get_rt_info()
        plain = {name: str(notes[name].astype(str)) for name in notes}
        found.append(runtime_model.step(node.get_friendly_name(), plain))
    return found


def _black(job: Job) -> Any:
    one = job.data.at(np.arange(1)).images
    return job.data.normalise(np.zeros((job.cell.batch_size, *one.shape[1:]), one.dtype))


def _timed(ready: Any, placed: Any, calls: int) -> List[float]:
    """Seconds of each of so many calls."""
    samples = []
    for _ in range(calls):
        begin = time.perf_counter()
        ready.call(placed)
        samples.append(time.perf_counter() - begin)
    return samples


def _record(job: Job, steps: List[runtime_model.Step], promised: str, samples: List[float]) -> None:
    """The proof; where the latency was measured, also where a call's time goes."""
    sets = ", ".join(runtime_model.instruction_sets(steps)) or "none"
    operations = runtime_model.operations(steps)
    source = (
        f"OpenVINO's runtime model and counters, mean of {len(samples)} calls; instruction sets that the "
        f"kernels name: {sets}"
    )
    record_proof(job, promised, operations, source)
    latency_s = latency_of(job)
    if latency_s is not None:
        call_s = sum(samples) / len(samples)
        record_call(job, operations, ProfiledCall(call_s, call_s), latency_s, source)


def _require(job: Job, hint: str, effective: str) -> None:
    """Raises Unsupported where the proof shows nothing of what was promised."""
    if job.proof is None or job.proof.coverage:
        return
    seen = "; ".join(job.proof.fallback[:_SHOWN]) or "no convolution or product was seen"
    other = "" if hint == effective else f" (asked for {hint}, OpenVINO took {effective})"
    raise Unsupported(f"the proof failed: nothing ran in {job.proof.promised}{other}: {seen}")
