"""``predict()`` on TensorFlow 2.8.4: against the signature, and in one step against two.

The measuring runs under Python 3.8: ``python -m tests.bench.calling signature|split``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from runners.models.keras_applications import application, initial_arrays
from runners.protocols.as_published import measure_as_published

PAIRS = 3
BATCH, SIZE = 32, 48
WARM_UP, CALLS = 10, 60
# Keras makes steps of 32 of what predict() gets: of 64 images two, of 32 one, which is the control.
SPLIT_PAIRS, SPLIT_CALLS = 12, 4
# "nothing" sums an image's pixels: what is left are Keras' own costs of a step.
SPLIT_CASES = (("nothing", 64), ("mobilenet-v1", 64), ("mobilenet-v1", 32), ("vgg16", 64))


def predict_against_signature() -> None:
    """What the calling convention alone makes of one model: no quantization, no other compiler."""
    means = _measured("signature")
    ratios = [p / s for p, s in zip(means["predict"], means["signature"], strict=True)]
    singles = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(
        f"  predict() / signature, MobileNet_v1, {SIZE} px, batch {BATCH}, TF 2.8.4: "
        f"{statistics.median(ratios):.2f} (pairs {singles})"
    )


def predict_in_two_steps() -> None:
    """predict(batch) as published against predict(batch, batch_size): 64 images are two steps."""
    for case, times in _measured("split").items():
        pairs = list(zip(times["as published"], times["one step"], strict=True))
        ratios = sorted(two / one for two, one in pairs)
        added_ms = statistics.median(two - one for two, one in pairs) * 1e3
        low, high = ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]
        print(
            f"  {case}: {statistics.median(ratios):.2f} (middle half {low:.2f} to {high:.2f}); "
            f"{added_ms:+.1f} ms over {statistics.median(times['one step']) * 1e3:.1f} ms"
        )


def _measured(what: str) -> Any:
    from manifests.paths import ROOT
    from orchestrator.environments import venvs
    from orchestrator.environments.images import load_image

    image = load_image("tensorflow-22.03")
    venvs.build(image, lambda note: None)
    done = subprocess.run(
        [venvs.interpreter(image), "-m", "tests.bench.calling", what], cwd=ROOT, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def against_signature() -> dict[str, list[float]]:
    """The means in seconds, by way of calling, turn by turn."""
    from runners.tensorflow.parts.keras_sessions import predict_session, signature_session

    model = _model("mobilenet-v1")
    images = _images(BATCH)
    means: dict[str, list[float]] = {"predict": [], "signature": []}
    with tempfile.TemporaryDirectory() as folder:
        sessions = {
            "predict": predict_session(model), "signature": signature_session(model, folder),
        }  # fmt: skip
        for turn in range(PAIRS):
            for name in sorted(sessions, reverse=bool(turn % 2)):
                session = sessions[name]
                placed = session.place(images)
                found = measure_as_published(lambda: session.call(placed), WARM_UP, CALLS)  # noqa: B023
                means[name].append(statistics.mean(found.samples))
    return means


def split() -> dict[str, dict[str, list[float]]]:
    """Medians of short turns, A B B A, by model and batch: seconds of processor time of one thread,
    which is the latency there, whoever else is at work on the machine.
    """
    import tensorflow as tf

    from runners.tensorflow.parts.keras_sessions import predict_session

    tf.config.threading.set_intra_op_parallelism_threads(1)
    found: dict[str, dict[str, list[float]]] = {}
    for model_name, batch in SPLIT_CASES:
        model, images = _model(model_name), _images(batch)
        calls = {
            "as published": predict_session(model, "as-published").call,
            "one step": predict_session(model).call,
        }
        times: dict[str, list[float]] = {name: [] for name in calls}
        for turn in range(SPLIT_PAIRS):
            for name in sorted(calls, reverse=bool(turn % 2)):
                measured = measure_as_published(
                    _called(calls[name], images), 1, SPLIT_CALLS, clock=time.process_time
                )
                times[name].append(statistics.median(measured.samples))
        found[f"{model_name}, {SIZE} px, batch {batch}"] = times
    return found


def _called(call: Callable[[Any], Any], images: Any) -> Callable[[], Any]:
    return lambda: call(images)


def _model(name: str) -> Any:
    import tensorflow as tf

    from runners.tensorflow.parts import setup  # noqa: F401  sets variables that TensorFlow reads
    from runners.tensorflow.parts.applications import build, load_arrays

    tf.config.threading.set_inter_op_parallelism_threads(1)
    if name == "nothing":
        pixels = tf.keras.Input((SIZE, SIZE, 3))
        return tf.keras.Model(pixels, tf.reduce_sum(pixels, (1, 2)))
    network = application(name, 10, SIZE)
    model = build(network, published_head=True)
    load_arrays(model, network, initial_arrays(network, 0))
    return model


def _images(batch: int) -> Any:
    import numpy as np

    images = np.random.default_rng(0).integers(0, 256, (batch, SIZE, SIZE, 3))
    return images.astype(np.float32)


if __name__ == "__main__":
    print(json.dumps({"signature": against_signature, "split": split}[sys.argv[1]]()))
