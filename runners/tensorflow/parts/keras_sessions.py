"""Ways to call one Keras model, and the proof for it."""

from __future__ import annotations

from typing import Any, Dict, List

import numpy as np
import tensorflow as tf

from manifests.manifest import Proof
from runners.fidelity import LOGITS, PROBABILITIES
from runners.inference import Array, Session, time_inference
from runners.job import Job
from runners.protocols import controlled
from runners.tensorflow.parts.graphs import compute_types, proof_of_types
from runners.tensorflow.parts.memory import watching_allocator
from runners.tensorflow.parts.tensor_float32 import qualified


def predict_session(model: Any, protocol: str = "rigorous") -> Session:
    """``model.predict(batch)`` on a numpy batch; the answer is copied back to numpy.

    Rigorous: the batch is one step. As published the call doesn't tell Keras its size, and Keras
    makes steps of 32 images of what it gets.
    """
    return Session(
        place=lambda images: images,
        call=lambda images: model.predict(images, verbose=0, **_step_size(images, protocol)),
        classes=lambda logits: logits.argmax(1),
        kind=kind_of(model),
    )


def _step_size(images: Array, protocol: str) -> Dict[str, int]:
    return {"batch_size": len(images)} if controlled(protocol) else {}


def record_steps_per_call(job: Job, model: Any) -> None:
    """How many steps the timed ``predict()`` makes of its batch, in a call of its own."""
    images = job.data.normalise(job.data.timed(job.cell.batch_size))
    steps = steps_of(model, images, job.cell.protocol)
    job.record("steps_per_call", [steps], source="counted by Keras' callback")


def steps_of(model: Any, images: Array, protocol: str) -> int:
    """Steps of one ``predict()`` as ``predict_session`` makes it."""
    ended: List[int] = []
    counter = tf.keras.callbacks.LambdaCallback()
    counter.on_predict_batch_end = lambda batch, logs=None: ended.append(batch)
    model.predict(images, verbose=0, callbacks=[counter], **_step_size(images, protocol))
    return len(ended)


def call_session(model: Any) -> Session:
    """``model(batch, training=False)`` on a tensor in place."""
    return Session(
        tf.constant, lambda images: model(images, training=False), _classes, kind=kind_of(model)
    )


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
    return Session(
        tf.constant, lambda images: serving(pixels=images)["logits"], _classes, kind=kind_of(model)
    )


def xla_session(model: Any, batch_size: int) -> Session:
    """The same graph compiled by XLA for batches of ``batch_size``."""
    shape = (batch_size, *model.inputs[0].shape[1:])

    @tf.function(jit_compile=True, input_signature=[tf.TensorSpec(shape, tf.float32)])
    def serve(pixels: Any) -> Any:
        return model(pixels, training=False)

    compiled = serve.get_concrete_function()
    return Session(tf.constant, compiled, _classes, fixed_batch=True, kind=kind_of(model))


def kind_of(model: Any) -> str:
    """What a Keras model answers: probabilities where its last layer is a softmax, else logits."""
    activation = getattr(model.layers[-1], "activation", None)
    return PROBABILITIES if activation is tf.keras.activations.softmax else LOGITS


def settled(job: Job, session: Session) -> Session:
    """In the rigorous protocol a call on a GPU ends when its answer is on the host, as that of
    ``predict()`` does; as published the answer stays on the device.
    """
    if job.cell.device != "gpu" or not controlled(job.cell.protocol):
        return session
    return session._replace(call=lambda images: np.asarray(session.call(images)))


def time_float_model(job: Job, session: Session) -> None:
    """Latency, throughput and end-to-end time, and on a GPU the peak memory meanwhile."""
    with watching_allocator(job):
        time_inference(job, session)


def prove(job: Job, model: Any, promised: str = "float32") -> Proof:
    """Operations of the inference graph by the type they compute in."""
    graph = tf.function(lambda x: model(x, training=False)).get_concrete_function(
        tf.TensorSpec(model.inputs[0].shape, tf.float32)
    )
    types = compute_types(graph.graph.as_graph_def())
    proof = proof_of_types(types, promised, "type attributes of the inference graph")
    return qualified(job, proof)


def _classes(logits: Any) -> Array:
    return np.asarray(logits).argmax(1)
