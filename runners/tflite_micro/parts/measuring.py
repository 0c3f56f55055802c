"""The steps that every technique here shares: the file, its proof, its arena, accuracy, time."""

from __future__ import annotations

from typing import Any, List

import numpy as np

from runners import affine
from runners.failures import Unsupported
from runners.inference import Array, Session, evaluate, infer_recipe, time_inference
from runners.job import Job
from runners.tflite_micro.parts.arena import ArenaUse, arena_use, opened
from runners.tflite_micro.parts.arithmetic_counts import by_operation
from runners.tflite_micro.parts.equal_bytes import COMPARED_IMAGES, record_equal_bytes
from runners.tflite_micro.parts.tflite_model import (
    MODEL_FILE,
    TfliteModel,
    check_images,
    read_model,
)
from runners.tflite_types import prove_graph, refuse_other_types

EXECUTED = "tensor types of the operations that TensorFlow Lite Micro executed, without delegates"
NO_LAYERS = "the environment of TensorFlow Lite Micro can't build the float model's layers"
REGION = "set_input() and invoke(): the input's place in the arena is used again by later results"


def time_model(job: Job, promised: str) -> None:
    """Latency, accuracy, proof, arena, multiply-adds, and the bytes that LiteRT answers alike.

    Raises Unsupported for a file that computes nothing in the promised type.
    """
    with job.phase("build"):
        model = taken_model(job)
        job.proof = prove_graph(model.graph, promised, EXECUTED)
        refuse_other_types(model.path.name, job.proof)
        interpreter = opened(model)
        ready = session(model, interpreter)
    record_file(job, model, interpreter)
    time_inference(job, ready)
    recipe = infer_recipe(job)
    if recipe.test_images is not None:
        evaluate(job, ready, recipe.test_images, job.cell.batch_size)
    with job.phase("compare"):
        record_equal_bytes(job, model, _inputs(job, model))
    job.layers = NO_LAYERS


def taken_model(job: Job) -> TfliteModel:
    """The file of the cell that this one starts from. Raises Unsupported for another device or
    batch, and for what is no such file.
    """
    if job.cell.device != "cpu":
        raise Unsupported("TensorFlow Lite Micro runs on a processor; this cell is for a GPU")
    model = read_model(job.weights.file(MODEL_FILE))
    check_images(model, job.cell.batch_size, job.cell.image_size)
    return model


def record_file(job: Job, model: TfliteModel, interpreter: Any) -> ArenaUse:
    """Record the file's size, multiply-adds by operation and in all, and what its arena takes."""
    source = "TFLite flatbuffer on disk"
    job.record("model_size_bytes", [len(model.content)], source=source)
    counts = by_operation(model.operations)
    job.record("multiply_adds", [sum(counts.values())], source="shapes in the file, one image")
    for name, count in counts.items():
        job.record("multiply_adds", [count], name, source="shapes in the file, one image")
    use = arena_use(interpreter)
    source = "TensorFlow Lite Micro's allocator, with the pointers of this 64-bit host"
    for label, size in (("", use.total), ("results", use.head), ("persistent", use.tail)):
        job.record("arena_bytes", [size], label, source=source)
    job.settings["tflite_micro.threads"] = "1: the interpreter has no others"
    return use


def session(model: TfliteModel, interpreter: Any) -> Session:
    """Calls on one image; what is timed is set_input() and invoke()."""
    entry, exit_ = model.entry, model.exit

    def place(images: Array) -> Array:
        return affine.quantized(images, np.dtype(entry.dtype), entry.scale, entry.zero_point)

    def call(placed: Array) -> Any:
        interpreter.set_input(placed, 0)
        return interpreter.invoke()

    def classes(status: Any) -> Array:
        return interpreter.get_output(0).argmax(1)

    def outputs(status: Any) -> Array:
        return affine.dequantized(interpreter.get_output(0), exit_.scale, exit_.zero_point)

    return Session(
        place, call, classes, fixed_batch=True, region=REGION, outputs=outputs,
        kind=model.graph.answers(exit_.number),
    )  # fmt: skip


def _inputs(job: Job, model: TfliteModel) -> List[Array]:
    """Test images one by one, as the model takes them."""
    images = job.data.normalise(job.data.at(job.data.test_places(COMPARED_IMAGES)).images)
    entry = model.entry
    whole = affine.quantized(images, np.dtype(entry.dtype), entry.scale, entry.zero_point)
    return [whole[place : place + 1] for place in range(len(whole))]
