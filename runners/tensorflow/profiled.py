"""TensorFlow's own profiler, in training and in inference (lad2023, section III-B and Table IV).

The paper found that it collides with a model's layers and that inference can't be profiled. The
network is trained by Keras' ``fit`` and called by a traced function, each under
``tf.profiler.experimental``, and every layer with weights is looked for in what the profiler saw.
Nothing is timed but by the profiler.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List

import tensorflow as tf

from runners.job import Job
from runners.profiled import ProfiledRecipe
from runners.tensorflow.parts.setup import begin  # before anything that imports TensorFlow
from runners.tensorflow.parts.models import new_model
from runners.tensorflow.parts.profile import Executed, layers_seen, profiled

_SOURCE = "tf.profiler.experimental, the executor's operations, mean of {} {}"


def train(job: Job) -> None:
    begin(job)
    model = new_model(job)
    model.compile("sgd", tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    images = job.data.train(job.cell.batch_size, job.cell.seed)
    pixels, labels = job.data.normalise(images.images), images.labels
    _profile(job, model, "steps", lambda: model.fit(pixels, labels, len(labels), verbose=0))


def infer(job: Job) -> None:
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
        executed = profiled(call, calls)
    _record_times(job, executed, _SOURCE.format(calls, what), calls)
    layers = [layer.name for layer in model.layers if layer.weights]
    seen = layers_seen(executed, layers)
    unseen = ", ".join(name for name in layers if name not in seen) or "none"
    job.record(
        "layers_profiled", [len(seen) / len(layers)], items=len(layers), source=f"unseen: {unseen}"
    )


def _record_times(job: Job, executed: List[Executed], source: str, calls: int) -> None:
    seconds: Dict[str, float] = {}
    for one in executed:
        seconds[one.operation] = seconds.get(one.operation, 0.0) + one.seconds
    for name in sorted(seconds, key=seconds.__getitem__, reverse=True):
        job.record(
            "op_time_s",
            [seconds[name] / calls],
            label=name,
            items=job.cell.batch_size,
            source=source,
        )
