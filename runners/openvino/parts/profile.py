"""The proof of precision: what the plug-in tells of a compiled network, and some counted calls."""

from __future__ import annotations

import datetime
import time
from typing import Any, Dict, List, Mapping

import numpy as np

from runners.failures import Unsupported
from runners.job import Job
from runners.openvino.parts import compiled, device, runtime_model
from runners.precision_proof import (
    Operation,
    ProfiledCall,
    latency_of,
    proof_of,
    record_call,
    record_proof,
)

_WARM_CALLS = 5
"""At most; of slow calls as few as are counted."""
_CALLS = 20


def require(job: Job, network: Any, made: Any, promised: str, hint: str) -> None:
    """Raises Unsupported, with the proof, where nothing at all would run in the promised type.

    Asked before anything is measured: such a row isn't what its name says.
    """
    if job.promises(promised, (network, made)):
        return
    found = proof_of(
        runtime_model.operations(steps_of(network, made)), promised, "OpenVINO's runtime model"
    )
    if not found.coverage:
        job.proof = found
        raise Unsupported(runtime_model.failed(found, hint, device.effective(made)[device.HINT]))


def prove(job: Job, network: Any, promised: str, hint: str, calls: int = _CALLS) -> None:
    """Call ``network`` with counters on a batch of the cell's size; set the job's proof, by count
    and by time, and record where a call's time goes.
    """
    with job.phase("profile"):
        made = compiled.compiled(job, network, hint, counted=True)
        ready = compiled.session(network, made)
        placed = ready.place(_black(job))
        first = min(_WARM_CALLS, calls)
        _timed(ready, placed, first)
        warm = _means(placed)
        samples = _timed(ready, placed, calls)
        whole = _means(placed)
    times = runtime_model.after_warm_up(warm, whole, first, first + calls)
    steps = steps_of(network, made, times)
    operations = runtime_model.operations(steps)
    sets = ", ".join(runtime_model.instruction_sets(steps)) or "none"
    source = (
        f"OpenVINO's runtime model and counters, mean of {calls} calls; instruction sets that its "
        f"kernels name: {sets}"
    )
    record_proof(job, promised, operations, source)
    _tell_missing(job, network, operations)
    call_s = sum(samples) / calls
    record_call(job, operations, ProfiledCall(call_s, call_s), latency_of(job), source)


def steps_of(
    network: Any, made: Any, times_us: Mapping[str, float] = {}
) -> List[runtime_model.Step]:
    """The operations of ``made``, compiled from ``network``, in the order of execution."""
    products = _products(network)
    found = []
    for node in made.get_runtime_model().get_ordered_ops():
        name, notes = node.get_friendly_name(), node.get_rt_info()
        plain = {key: str(notes[key].astype(str)) for key in notes}
        found.append(runtime_model.step(name, plain, times_us.get(name), products))
    return found


def _products(network: Any) -> List[str]:
    """The names of the network's convolutions and matrix products."""
    kinds = runtime_model.NETWORK_PRODUCTS
    return [one.get_friendly_name() for one in network.get_ops() if one.get_type_name() in kinds]


def _tell_missing(job: Job, network: Any, operations: List[Operation]) -> None:
    """Warn where the proof doesn't account for every convolution and product of the network."""
    seen = sum(one.times for one in operations if one.kind is not None)
    there = len(_products(network))
    if seen != there:
        job.warn(
            f"of the network's {there} convolutions and products the runtime model shows {seen}"
        )


def _means(request: Any) -> Dict[str, float]:
    """Microseconds that each operation took in all calls so far, by its name."""
    microsecond = datetime.timedelta(microseconds=1)
    return {
        one.node_name: one.real_time / microsecond
        for one in request.get_profiling_info()
        if one.status.name == "EXECUTED"
    }


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
