"""TensorFlow's own profiler, in training and in inference (lad2023, section III-B and Table IV).

The paper found that it collides with a model's layers and that inference can't be profiled. The
network is trained by Keras' ``fit`` and called by a traced function, each under
``tf.profiler.experimental``, and every layer with weights is looked for in what the profiler saw.
Time and memory by operation are the profiler's; nothing else is measured.
"""

from __future__ import annotations

from typing import Any, Callable, Dict

import tensorflow as tf

from runners.job import Job
from runners.profiled import ProfiledRecipe
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.models import new_model
from runners.tensorflow.parts.profile import Profile, layers_seen, profiled, see_allocations

_SOURCE = "tf.profiler.experimental, the executor's operations, mean of {} {}"
_ALLOCATIONS = (
    "tf.profiler.experimental, bytes allocated for operations (freed or not), mean of {} {}"
)
_NO_ALLOCATIONS = "the trace has no MemoryAllocation that names an operation"


def train(job: Job) -> None:
    see_allocations(job)
    begin(job)
    model = new_model(job)
    model.compile("sgd", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = job.data.train(job.cell.batch_size, job.cell.seed)
    pixels, labels = job.data.normalise(images.images), images.labels
    _profile(job, model, "steps", lambda: model.fit(pixels, labels, len(labels), verbose=0))


def infer(job: Job) -> None:
    see_allocations(job)
    begin(job)
    model = new_model(job)
    pixels = tf.constant(job.data.normalise(job.data.timed(job.cell.batch_size)))
    traced = tf.function(lambda batch: model(batch, training=False))
    _profile(job, model, "calls", lambda: traced(pixels))


def _profile(job: Job, model: Any, what: str, call: Callable[[], object]) -> None:
    calls = job.recipe(ProfiledRecipe).calls
    with job.phase("warm-up"):
        for _ in range(calls):
            call()
    with job.phase("profile"):
        found = profiled(call, calls)
    _record_times(job, found, _SOURCE.format(calls, what), calls)
    _record_memory(job, found, _ALLOCATIONS.format(calls, what), calls)
    layers = [layer.name for layer in model.layers if layer.weights]
    seen = layers_seen(found.executed, layers)
    unseen = ", ".join(name for name in layers if name not in seen) or "none"
    job.record(
        "layers_profiled", [len(seen) / len(layers)], items=len(layers), source=f"unseen: {unseen}"
    )


def _record_times(job: Job, found: Profile, source: str, calls: int) -> None:
    seconds: Dict[str, float] = {}
    for one in found.executed:
        seconds[one.operation] = seconds.get(one.operation, 0.0) + one.seconds
    _record_by_operation(job, "op_time_s", seconds, source, calls)


def _record_memory(job: Job, found: Profile, source: str, calls: int) -> None:
    operations = {one.node: one.operation for one in found.executed}
    taken: Dict[str, float] = {}
    for one in found.allocated:
        if one.node in operations:
            name = operations[one.node]
            taken[name] = taken.get(name, 0) + one.size_bytes
    _record_by_operation(job, "op_memory_bytes", taken, source, calls)
    if not taken:
        job.record("op_memory_bytes", [None], source=source, reason=_NO_ALLOCATIONS)


def _record_by_operation(
    job: Job, metric: str, found: Dict[str, float], source: str, calls: int
) -> None:
    """What one call took, the largest first; ``found`` is of all calls."""
    for name in sorted(found, key=found.__getitem__, reverse=True):
        job.record(
            metric, [found[name] / calls], label=name, items=job.cell.batch_size, source=source
        )
