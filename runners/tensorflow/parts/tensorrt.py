"""TF-TRT as shafique2023 used it (section 4; TensorFlow 2.8): convert, calibrate, save, load, call.

As published: ``minimum_segment_size=3``, INT8 calibrated on one batch, no ``build()``, so that
engines are built by the first calls. Rigorous: ``build()`` beforehand, on the shape that is timed.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Tuple

import tensorflow as tf

from manifests.manifest import Proof
from runners.failures import Unsupported, first_line
from runners.inference import QuantizeRecipe, Session, evaluate, filled, time_inference
from runners.job import Job
from runners.tensorflow.parts.graphs import COMPUTE, every_node
from runners.tensorflow.parts.keras_sessions import settled, signature_session
from runners.tensorflow.parts.memory import watching_memory
from runners.tensorflow.parts.models import trained_model

MINIMUM_SEGMENT_SIZE = 3
ENGINE = "TRTEngineOp"
_TYPES = {"FP32": "float32", "FP16": "float16", "INT8": "int8"}
InputFunction = Callable[[], Iterator[Tuple[Any, ...]]]
"""What ``convert`` and ``build`` call: a generator of one tuple of tensors a batch."""


class Engines(NamedTuple):
    """What a converted graph holds: engines, and compute operations inside and outside them."""

    number: int
    inside: Dict[str, int]
    outside: Dict[str, int]


def quantize(job: Job, precision: str) -> None:
    """Convert, and take the accuracy of what was converted."""
    recipe = job.recipe(QuantizeRecipe)
    with tempfile.TemporaryDirectory() as folder:
        session = converted_session(job, precision, Path(folder), recipe.calibration_images)
        evaluate(job, session, recipe.test_images, job.cell.batch_size)


def infer(job: Job, precision: str) -> None:
    """Convert for the cell's batch, and time the calls."""
    calibration = int(job.cell.recipe.get("calibration_images") or job.cell.batch_size)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder, watching_memory(job, "infer"):
        session = converted_session(job, precision, Path(folder), calibration)
        time_inference(job, settled(job, session))


def converted_session(job: Job, precision: str, folder: Path, calibration_images: int) -> Session:
    """The serving signature of the converted model; records ``convert_s`` and the proof.

    Raises Unsupported with TensorFlow's own words where TensorRT is missing.
    """
    converter_class = _converter_class()
    with job.phase("build"):
        plain, result = str(folder / "plain"), str(folder / "converted")
        signature_session(trained_model(job), plain)
    with job.phase("convert"):
        converter = new_converter(converter_class, plain, precision)
        _convert(job, converter, precision, calibration_images)
        if job.cell.protocol != "as-published":
            converter.build(input_fn=timed_input(job))
        converter.save(result)
    job.record("convert_s", [job.last_phase_s("convert")], source="TF-TRT, until saved")
    # Saving empties the cache of engines, and so what is timed is what was saved.
    loaded = tf.saved_model.load(result)
    serving = loaded.signatures["serving_default"]
    serving._owner = loaded
    job.proof = prove(serving.graph.as_graph_def(), precision)
    return Session(
        tf.constant, lambda images: serving(pixels=images)["logits"],
        lambda outputs: tf.convert_to_tensor(outputs).numpy().argmax(1), fixed_batch=True,
    )  # fmt: skip


def _converter_class() -> Any:
    try:
        from tensorflow.python.compiler.tensorrt.trt_convert import TrtGraphConverterV2
    except ImportError as error:
        raise Unsupported(
            f"TensorFlow {tf.__version__} comes without TF-TRT: {first_line(error)}"
        ) from error
    return TrtGraphConverterV2


def new_converter(kind: Any, saved_model: str, precision: str) -> Any:
    """``precision``: FP32, FP16 or INT8. Raises Unsupported with TensorFlow's own words."""
    try:
        return kind(
            input_saved_model_dir=saved_model,
            precision_mode=precision,
            minimum_segment_size=MINIMUM_SEGMENT_SIZE,
            use_calibration=precision == "INT8",
        )
    except RuntimeError as error:
        if "TensorRT" not in str(error):
            raise
        raise Unsupported(first_line(error)) from error


def _convert(job: Job, converter: Any, precision: str, images: int) -> None:
    if precision != "INT8":
        converter.convert()
        return
    batches = calibration_batches(job, images)
    with job.phase("calibrate"):
        converter.convert(calibration_input_fn=generator_of(batches))
    job.record("calibration_s", [job.last_phase_s("calibrate")], items=images)


def calibration_batches(job: Job, images: int) -> List[Any]:
    """Whole batches of training images: an INT8 engine has one shape."""
    batch = job.cell.batch_size
    part = job.data.calibration(max(batch, images - images % batch), job.cell.seed)
    pixels = job.data.normalise(part.images)
    return [filled(pixels[begin : begin + batch], batch) for begin in range(0, len(pixels), batch)]


def timed_input(job: Job) -> InputFunction:
    """The batch that will be timed."""
    return generator_of([job.data.normalise(job.data.timed(job.cell.batch_size))])


def generator_of(batches: List[Any]) -> InputFunction:
    """TF-TRT wants tuples of tensors; a bare array would be taken for a list of inputs."""

    def batches_one_by_one() -> Iterator[Tuple[Any, ...]]:
        for batch in batches:
            yield (tf.constant(batch),)

    return batches_one_by_one


def engines_of(definition: Any) -> Engines:
    """Engines of a converted graph; TF-TRT keeps each one's operations in a function."""
    count = sum(node.op == ENGINE for node in every_node(definition))
    inside: Dict[str, int] = {}
    for function in definition.library.function:
        if function.signature.name.endswith("_native_segment"):
            _count(function.node_def, inside)
    every: Dict[str, int] = {}
    _count(every_node(definition), every)
    outside = {name: n - inside.get(name, 0) for name, n in every.items()}
    return Engines(count, inside, {name: n for name, n in outside.items() if n > 0})


def _count(nodes: Any, counts: Dict[str, int]) -> None:
    for node in nodes:
        if node.op in COMPUTE:
            counts[node.op] = counts.get(node.op, 0) + 1


def prove(definition: Any, precision: str) -> Proof:
    """What lies in engines of that mode. TensorRT may still choose a higher precision for a layer,
    which the graph doesn't tell.
    """
    engines = engines_of(definition)
    promised = _TYPES[precision]
    covered = sum(engines.inside.values())
    total = covered + sum(engines.outside.values())
    operations = {promised: {**engines.inside, ENGINE: engines.number}}
    if engines.outside:
        operations.setdefault("float32", {}).update(engines.outside)
    return Proof(
        promised=promised,
        operations=operations,
        coverage=covered / total if total else None,
        fallback=[f"{name} x{count} outside of engines" for name, count in engines.outside.items()],
        source=f"{engines.number} TRTEngineOp nodes of precision mode {precision}, by the graph",
    )
