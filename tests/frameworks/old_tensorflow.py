"""Facts about TensorFlow 2.8, and a current one, and our code on them, printed as JSON.

Called as ``python old_tensorflow.py FACT``; tests/frameworks/test_tensorflow_2_8.py reads it.
Python 3.8 code.
"""

from __future__ import annotations

import json
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from runners.fidelity import sqnr
from runners.models.keras_applications import PUBLISHED, application, initial_arrays
from runners.tensorflow.parts import (
    conversion,
    layers,
    litert,
    setup,  # noqa: F401  sets variables that TensorFlow reads
)
from runners.tensorflow.parts.applications import build, load_arrays
from runners.tensorflow.parts.graphs import compute_types
from runners.tensorflow.parts.keras_sessions import (
    call_session,
    predict_session,
    signature_session,
    steps_of,
    xla_session,
)


def versions() -> dict[str, Any]:
    return {"python": sys.version_info[:2], "tf": tf.__version__, "keras": tf.keras.__version__}


def parameters() -> dict[str, int]:
    return {
        f"{model} {size}": build(application(model, 10, size)).count_params()
        for model in PUBLISHED
        for size in (48, 128)
    }


def sessions() -> dict[str, Any]:
    """Every way to call MobileNet_v1 gives the same probabilities."""
    network = application("mobilenet-v1", 10, 48)
    model = build(network)
    load_arrays(model, network, initial_arrays(network, 1))
    images = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 3)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        found = {
            name: session.call(session.place(images))
            for name, session in (
                ("call", call_session(model)),
                ("predict", predict_session(model)),
                ("signature", signature_session(model, folder)),
                ("xla", xla_session(model, 4)),
            )
        }
    answers = {name: np.asarray(answer) for name, answer in found.items()}
    return {
        "shape": answers["call"].shape,
        "sums": answers["call"].sum(1).tolist(),
        "apart": {n: float(np.abs(a - answers["call"]).max()) for n, a in answers.items()},
    }


def heads() -> dict[str, str]:
    """The type of the last layer under mixed_float16, by form of the head."""
    network = application("mobilenet-v1", 10, 48)
    return {
        form: build(network, "mixed_float16", published).output.dtype.name
        for form, published in (("published", True), ("rigorous", False))
    }


def steps_per_call() -> dict[str, Any]:
    """Steps that predict() makes of 8, 32 and 64 images, by Keras' own count."""
    model = tf.keras.Sequential([tf.keras.layers.Flatten(input_shape=(4, 4, 3))])
    found: dict[str, Any] = {}
    for protocol in ("rigorous", "as-published"):
        for batch in (8, 32, 64, 65):
            images = np.zeros((batch, 4, 4, 3), np.float32)
            found[f"{protocol} {batch}"] = steps_of(model, images, protocol)
    return found


def mixed_types() -> dict[str, Any]:
    """The types that a mixed_float16 forward pass computes in."""
    network = application("mobilenet-v1", 10, 48)
    model = build(network, "mixed_float16")
    graph = tf.function(lambda x: model(x, training=True)).get_concrete_function(
        tf.TensorSpec((2, 48, 48, 3), tf.float32)
    )
    types_ = compute_types(graph.graph.as_graph_def())
    return {"types": types_, "variables": sorted({v.dtype.name for v in model.variables})}


def _small_model() -> Any:
    """Every kind of layer that the converter names in its own way."""
    layers = tf.keras.layers
    pixels = layers.Input((8, 8, 3), name="pixels")
    stem = layers.ReLU(name="stem_relu")(layers.Conv2D(4, 3, padding="same", name="stem")(pixels))
    inner = layers.Conv2D(4, 3, padding="same", use_bias=False, name="inner")(stem)
    inner = layers.BatchNormalization(name="inner_bn")(inner)
    joined = layers.ReLU(name="joined_relu")(layers.Add(name="joined")([inner, stem]))
    flat = layers.GlobalAveragePooling2D(name="pool")(joined)
    answer = layers.Activation("softmax", name="softmax")(layers.Dense(10, name="head")(flat))
    model = tf.keras.Model(pixels, answer, name="small")
    generator = np.random.default_rng(1)
    learned = [generator.uniform(0.5, 2.0, 4).astype(np.float32) for _ in range(4)]
    model.get_layer("inner_bn").set_weights(learned)
    return model


def tflite_layers() -> dict[str, Any]:
    """A full int8 file beside its Keras model: layers, their noise, and what it answers."""
    tf.keras.utils.set_random_seed(0)
    model = _small_model()
    images = np.random.default_rng(0).normal(size=(8, 8, 8, 3)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.tflite"
        converter = conversion._int8_converter(model)
        converter.representative_dataset = lambda: ([image[None]] for image in images)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        path.write_bytes(converter.convert())
        inner = litert.inside(path, images, 1)
        session = litert.session(path, 8, 8, 1)
        answer = session.call(session.place(images))
        answered = session.outputs(answer)
    found = layers.compare(types.SimpleNamespace(float_model=model, cell=None), inner, images)
    ours = tf.keras.Model(model.input, model.get_layer("joined_relu").output)(images).numpy()
    (joined,) = [one for one in inner if one.name.startswith("small/joined_relu")]
    return {
        "names": [layer.name for layer in found.layers],
        "db": [layer.cumulative.db for layer in found.layers],
        "by_hand": 10 * float(np.log10(np.sum(ours**2) / np.sum((ours - joined.values) ** 2))),
        "unmatched": found.unmatched,
        "kind": session.kind,
        "last": sqnr(inner[-1].values, answered).db,
        "steps": float(np.abs(answered * 256 - np.round(answered * 256)).max()),
    }


if __name__ == "__main__":
    fact = globals()[sys.argv[1]]
    print(json.dumps(fact()))
