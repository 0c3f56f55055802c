"""Three ways to call one Keras model, and the proof for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from manifests.manifest import Proof
from runners.inference import Array, Session

_COMPUTE = ("Conv2D", "MatMul")


def predict_session(model: Any) -> Session:
    """``model.predict(batch)`` on a numpy batch; the answer is copied back to numpy."""
    return Session(
        place=lambda images: images,
        call=lambda images: model.predict(images, batch_size=len(images), verbose=0),
        classes=lambda logits: logits.argmax(1),
    )


def call_session(model: Any) -> Session:
    """``model(batch, training=False)`` on a tensor in place."""
    return Session(tf.constant, lambda images: model(images, training=False), _classes)


def signature_session(model: Any, folder: str) -> Session:
    """The serving signature of a SavedModel, written to ``folder`` and loaded again."""

    @tf.function(input_signature=[tf.TensorSpec(model.inputs[0].shape, tf.float32)])
    def serve(pixels: Any) -> Any:
        return {"logits": model(pixels, training=False)}

    tf.saved_model.save(model, folder, signatures={"serving_default": serve})
    loaded = tf.saved_model.load(folder)
    serving = loaded.signatures["serving_default"]
    # The function holds no reference to the object that owns its variables.
    serving._owner = loaded
    return Session(tf.constant, lambda images: serving(pixels=images)["logits"], _classes)


def prove(model: Any) -> Proof:
    """Operations of the inference graph by the type they compute in."""
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(
        tf.TensorSpec(model.inputs[0].shape, tf.float32)
    )
    operations: dict[str, dict[str, int]] = {}
    for node in graph.graph.as_graph_def().node:
        if node.op in (*_COMPUTE, "AddV2", "BiasAdd", "Relu", "Mean", "Pad"):
            kind = tf.dtypes.as_dtype(node.attr["T"].type).name
            counts = operations.setdefault(kind, {})
            counts[node.op] = counts.get(node.op, 0) + 1
    total = sum(ops.get(name, 0) for ops in operations.values() for name in _COMPUTE)
    floats = sum(operations.get("float32", {}).get(name, 0) for name in _COMPUTE)
    return Proof(
        promised="float32",
        operations=operations,
        coverage=floats / total if total else None,
        fallback=[],
        source="type attributes of the inference graph",
    )


def _classes(logits: Any) -> Array:
    return np.asarray(logits).argmax(1)
