"""The steps that Larq's techniques share: parity, conversion, timing, proof."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import larq_compute_engine
import numpy as np
import tensorflow as tf
from larq_compute_engine.tflite.python.interpreter import Interpreter

from runners.binary_proof import prove_products
from runners.failures import DamagedInput, Unsupported
from runners.float_parity import show_float_parity
from runners.inference import (
    Array,
    QuantizeRecipe,
    Session,
    evaluate,
    infer_recipe,
    time_inference,
)
from runners.job import Job
from runners.larq.parts.network import build
from runners.larq.parts.packed_file import operations
from runners.models.bnn_pynq import BinaryNetwork, binary_network, inputs_of
from runners.trained_parity import against_training, show_same_network

MODEL_FILE = "model.tflite"
SOURCE = "operations of the converted file; the interpreter tells no times"
REGION = "predict() of each image, one after another: the file is for one"


def convert_network(job: Job, promised: str) -> None:
    """Build the network from its training's weights, show that it is the same, convert it, and
    take proof and accuracy of the file.
    """
    described = begin(job)
    with job.phase("build"):
        model = build(described, promised == "binary", job.weights.arrays())
    show = show_same_network if promised == "binary" else show_float_parity
    show(job, keras_session(described, model))
    with job.phase("convert"):
        content = larq_compute_engine.convert_keras_model(model)
    job.record("convert_s", [job.last_phase_s("convert")], source="convert_keras_model")
    save(job, content)
    packed = file_session(job, described, content)
    prove(job, described, content, promised)
    if promised == "binary":
        against_training(job, packed, label="")
    evaluate(job, packed, job.recipe(QuantizeRecipe).test_images, job.cell.batch_size)


def begin(job: Job) -> BinaryNetwork:
    """Threads and network of the cell; pixels come as they are. Raises Unsupported for a GPU."""
    if job.cell.device != "cpu":
        raise Unsupported("Larq Compute Engine runs on a processor; this cell is for a GPU")
    tf.config.threading.set_intra_op_parallelism_threads(job.threads)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    job.data.raw = True
    return binary_network(job.cell.model, len(job.data.meta.classes), job.cell.image_size)


def keras_session(described: BinaryNetwork, model: Any) -> Session:
    """Calls of the network before it is converted."""
    return Session(
        lambda images: tf.constant(inputs_of(described, images)),
        lambda inputs: model(inputs, training=False).numpy(),
        lambda logits: logits.argmax(1),
        outputs=lambda logits: logits,
    )


def file_session(job: Job, described: BinaryNetwork, content: bytes) -> Session:
    """Calls of the converted file, image by image. Raises DamagedInput, Unsupported."""
    try:
        interpreter = Interpreter(content, num_threads=job.threads)
    except (RuntimeError, ValueError) as error:
        raise DamagedInput(f"Larq Compute Engine can't open the file: {error}") from error
    wanted = (1, described.image_size, described.image_size, described.channels)
    found = tuple(int(side) for side in interpreter.input_shapes[0])
    if found != wanted:
        raise Unsupported(f"the file takes inputs of shape {found}, not {wanted}")

    def call(inputs: Array) -> Array:
        return np.asarray(interpreter.predict(inputs))

    return Session(
        lambda images: inputs_of(described, images),
        call,
        lambda logits: logits.argmax(1),
        region=REGION,
        outputs=lambda logits: logits,
    )


def save(job: Job, content: bytes) -> None:
    """Leave the file; records ``model_size_bytes``."""
    path: Path = job.folder / MODEL_FILE
    with job.phase("save"):
        path.write_bytes(content)
    job.artifact(MODEL_FILE, "TFLite flatbuffer with Larq's operations")
    source = "flatbuffer on disk: packed weights 32 to a word"
    job.record("model_size_bytes", [job.artifacts[-1].size_bytes], source=source)


def prove(job: Job, described: BinaryNetwork, content: bytes, promised: str) -> None:
    """By what the file executes. Raises Unsupported where that isn't what was promised."""
    prove_products(job, described, promised, operations(content), SOURCE)
    job.layers = "Larq Compute Engine gives no tensors from inside the model"


def time_file(job: Job, promised: str) -> None:
    """Proof, latency, end-to-end time and accuracy of the parent's file."""
    described = begin(job)
    recipe = infer_recipe(job)
    content = job.weights.file(MODEL_FILE).read_bytes()
    with job.phase("build"):
        ready = file_session(job, described, content)
    prove(job, described, content, promised)
    job.record("steps_per_call", [job.cell.batch_size], source="the file is for one image")
    time_inference(job, ready)
    if recipe.test_images is not None:
        evaluate(job, ready, recipe.test_images, job.cell.batch_size)
