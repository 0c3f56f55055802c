"""Ways to call one Keras model, and the proof for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from manifests.manifest import Proof
from runners.inference import Array, Session
from runners.job import Job
from runners.tensorflow.parts.graphs import compute_types, proof_of_types


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

    # A module of the variables alone: Keras would trace every layer once more to save itself.
    module = tf.Module()
    module.held = model.variables
    tf.saved_model.save(module, folder, signatures={"serving_default": serve})
    loaded = tf.saved_model.load(folder)
    serving = loaded.signatures["serving_default"]
    # The function holds no reference to the object that owns its variables.
    serving._owner = loaded
    return Session(tf.constant, lambda images: serving(pixels=images)["logits"], _classes)


def xla_session(model: Any, batch_size: int) -> Session:
    """The same graph compiled by XLA for batches of ``batch_size``."""
    shape = (batch_size, *model.inputs[0].shape[1:])

    @tf.function(jit_compile=True, input_signature=[tf.TensorSpec(shape, tf.float32)])
    def serve(pixels: Any) -> Any:
        return model(pixels, training=False)

    compiled = serve.get_concrete_function()
    return Session(tf.constant, compiled, _classes, fixed_batch=True)


def settled(job: Job, session: Session) -> Session:
    """In the rigorous protocol a call on a GPU ends when its answer is on the host, as that of
    ``predict()`` does; as published the answer stays on the device.
    """
    if job.cell.device != "gpu" or job.cell.protocol == "as-published":
        return session
    return session._replace(call=lambda images: np.asarray(session.call(images)))


def prove(model: Any) -> Proof:
    """Operations of the inference graph by the type they compute in."""
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(
        tf.TensorSpec(model.inputs[0].shape, tf.float32)
    )
    types = compute_types(graph.graph.as_graph_def())
    return proof_of_types(types, "float32", "type attributes of the inference graph")


def _classes(logits: Any) -> Array:
    return np.asarray(logits).argmax(1)
