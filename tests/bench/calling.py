"""``predict()`` against the signature: one float32 MobileNet_v1, as published but for fewer calls.

The measuring runs on TensorFlow 2.8.4 under Python 3.8: ``python -m tests.bench.calling``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile

from runners.applications import application, initial_arrays
from runners.measure import measure_as_published

PAIRS = 3
BATCH, SIZE = 32, 48
WARM_UP, CALLS = 10, 60


def predict_against_signature() -> None:
    """What the calling convention alone makes of one model: no quantization, no other compiler."""
    from orchestrator.engines import venvs
    from orchestrator.images import load_image
    from orchestrator.places import ROOT

    image = load_image("tensorflow-22.03")
    venvs.build(image, lambda note: None)
    done = subprocess.run(
        [venvs.interpreter(image), "-m", "tests.bench.calling"], cwd=ROOT, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    means: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    ratios = [p / s for p, s in zip(means["predict"], means["signature"], strict=True)]
    singles = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    print(
        f"  predict() / signature, MobileNet_v1, {SIZE} px, batch {BATCH}, TF 2.8.4: "
        f"{statistics.median(ratios):.2f} (pairs {singles})"
    )


def main() -> None:
    """Print the means in seconds, by way of calling, turn by turn."""
    import numpy as np
    import tensorflow as tf

    from runners.tensorflow.parts import setup  # noqa: F401  sets variables that TensorFlow reads
    from runners.tensorflow.parts.applications import build, load_arrays
    from runners.tensorflow.parts.keras_sessions import predict_session, signature_session

    tf.config.threading.set_inter_op_parallelism_threads(1)
    network = application("mobilenet-v1", 10, SIZE)
    model = build(network, published_head=True)
    load_arrays(model, network, initial_arrays(network, 0))
    images = np.random.default_rng(0).integers(0, 256, (BATCH, SIZE, SIZE, 3)).astype(np.float32)
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
    print(json.dumps(means))


if __name__ == "__main__":
    main()
