"""TF-TRT as shafique2023 used it (section 4; TensorFlow 2.8): convert, calibrate, save, load, call.

As published: ``minimum_segment_size=3``, INT8 calibrated on one batch, no ``build()``, so that
engines are built by the first calls, and TensorFlow's own operations run where one can't be.
Rigorous: ``build()`` beforehand, on the shape that is timed, and nothing runs in an engine's place.

TensorRT 10 has no implicit batch any more. Where a conversion without dynamic shapes gives no
engine there, one with them is tried; it needs ``build()``, which the published way doesn't have.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Set, Tuple

import tensorflow as tf

from runners.failures import Unsupported, first_line, is_out_of_memory
from runners.fidelity import LOGITS
from runners.inference import QuantizeRecipe, Session, evaluate, filled, time_inference
from runners.job import Job
from runners.protocols import controlled
from runners.tensorflow.parts import engines
from runners.tensorflow.parts.keras_sessions import settled, signature_session
from runners.tensorflow.parts.memory import watching_allocator
from runners.tensorflow.parts.models import trained_model
from runners.tensorflow.parts.tensor_float32 import qualified

MINIMUM_SEGMENT_SIZE = 3
NO_LAYERS = "TensorRT keeps the tensors between layers inside its engines"
FIRST_WITHOUT_IMPLICIT_BATCH = (10,)
InputFunction = Callable[[], Iterator[Tuple[Any, ...]]]
"""What ``convert`` and ``build`` call: a generator of one tuple of tensors a batch."""


class NoEngine(Exception):
    """A conversion that leaves no engine, or whose engines can't be built; and why."""


class Converted(NamedTuple):
    """The loaded model: its calls, its engines, and those that were built before it was saved."""

    session: Session
    engines: engines.Engines
    built: Set[str]


def quantize(job: Job, precision: str) -> None:
    """Convert, and take the accuracy of what was converted."""
    recipe = job.recipe(QuantizeRecipe)
    with tempfile.TemporaryDirectory() as folder:
        ready = converted(job, precision, Path(folder), recipe.calibration_images)
        evaluate(job, ready.session, recipe.test_images, job.cell.batch_size)
    prove(job, ready, precision)


def infer(job: Job, precision: str) -> None:
    """Convert for the cell's batch, and time the calls."""
    calibration = int(job.cell.recipe.get("calibration_images") or job.cell.batch_size)  # type: ignore[arg-type]
    with tempfile.TemporaryDirectory() as folder:
        with watching_allocator(job, "allocator, converting"):
            ready = converted(job, precision, Path(folder), calibration)
        with watching_allocator(job):
            time_inference(job, settled(job, ready.session))
    prove(job, ready, precision)


def prove(job: Job, ready: Converted, precision: str) -> None:
    """Rigorous: what was built before saving, as nothing else may run. As published: what the log
    tells of, after the calls that built the engines.
    """
    if not controlled(job.cell.protocol):
        lines = engines.fallbacks(engines.log_of(job.folder))
        fell, how = engines.named(lines, ready.engines), "by the graph and the log"
        for line in lines[:3]:
            job.warn(line[:300])
    else:
        fell, how = set(ready.engines.inside) - ready.built, "by the graph and the built engines"
    job.proof = qualified(job, engines.prove(ready.engines, precision, fell, how))


def converted(job: Job, precision: str, folder: Path, calibration_images: int) -> Converted:
    """The serving signature of the converted model; records ``convert_s``.

    Raises Unsupported with TensorFlow's own words where TensorRT or a GPU is missing, and where
    a conversion yields no engine.
    """
    converter_class = _converter_class()
    with job.phase("build"):
        plain, result = str(folder / "plain"), str(folder / "converted")
        kind = signature_session(trained_model(job), plain).kind
    reasons = []
    for dynamic in _shapes_to_try(job):
        try:
            with job.phase("convert"):
                converter = new_converter(converter_class, plain, precision, dynamic)
                _convert(job, converter, precision, calibration_images, dynamic)
                converter.save(result)
            break
        except NoEngine as refusal:
            reasons.append(f"{refusal}{' with dynamic shapes' if dynamic else ''}")
    else:
        raise Unsupported(f"TF-TRT yields no engine: {'; '.join(reasons)}{_without_build(job)}")
    job.record("convert_s", [job.last_phase_s("convert")], source="TF-TRT, until saved")
    # Saving empties the cache of engines, and so what is timed is what was saved.
    job.layers = NO_LAYERS
    return _loaded(result, kind)


def _loaded(folder: str, kind: str = LOGITS) -> Converted:
    loaded = tf.saved_model.load(folder)
    serving = loaded.signatures["serving_default"]
    serving._owner = loaded
    session = Session(
        tf.constant, lambda images: serving(pixels=images)["logits"],
        lambda outputs: tf.convert_to_tensor(outputs).numpy().argmax(1), fixed_batch=True,
        kind=kind,
    )  # fmt: skip
    found = engines.engines_of(serving.graph.as_graph_def())
    return Converted(session, found, engines.serialized(Path(folder)))


def _converter_class() -> Any:
    try:
        from tensorflow.python.compiler.tensorrt.trt_convert import TrtGraphConverterV2
    except ImportError as error:
        raise Unsupported(
            f"TensorFlow {tf.__version__} comes without TF-TRT: {first_line(error)}"
        ) from error
    return TrtGraphConverterV2


def _shapes_to_try(job: Job) -> Tuple[bool, ...]:
    """Whether shapes are dynamic, in the order to try; the paper's way first."""
    explicit = engines.linked_tensorrt() >= FIRST_WITHOUT_IMPLICIT_BATCH
    return (False, True) if explicit and controlled(job.cell.protocol) else (False,)


def _without_build(job: Job) -> str:
    version = engines.linked_tensorrt()
    if controlled(job.cell.protocol) or version < FIRST_WITHOUT_IMPLICIT_BATCH:
        return ""
    number = ".".join(map(str, version))
    return (
        f". TensorRT {number} has no implicit batch, and dynamic shapes need build(), which the "
        "published way leaves out"
    )


def new_converter(kind: Any, saved_model: str, precision: str, dynamic: bool = False) -> Any:
    """``precision``: FP32, FP16 or INT8. Raises Unsupported with TensorFlow's own words."""
    shapes: Dict[str, Any] = {}
    if dynamic:
        shapes = {"use_dynamic_shape": True, "dynamic_shape_profile_strategy": "Optimal"}
    try:
        return kind(
            input_saved_model_dir=saved_model,
            precision_mode=precision,
            minimum_segment_size=MINIMUM_SEGMENT_SIZE,
            use_calibration=precision == "INT8",
            **shapes,
        )
    except RuntimeError as error:
        if "TensorRT" not in str(error):
            raise
        raise Unsupported(first_line(error)) from error


def _convert(job: Job, converter: Any, precision: str, images: int, dynamic: bool) -> None:
    """Convert, and build where the protocol does. Raises NoEngine and Unsupported."""
    batches = calibration_batches(job, images) if precision == "INT8" else []
    try:
        function = _calibrated(job, converter, batches) if batches else converter.convert()
        if not engines.engines_of(function.graph.as_graph_def()).number:
            raise NoEngine("no part of the graph became one")
        if controlled(job.cell.protocol):
            converter.build(input_fn=timed_input(job))
    except ValueError as error:
        if "is not a GPU" not in str(error):
            raise
        raise Unsupported(first_line(error)) from error
    except (tf.errors.AbortedError, tf.errors.InternalError) as error:
        raise _refusal(job, error) from error
    if batches:
        _record_calibration(job, len(batches) * job.cell.batch_size, dynamic)


def _calibrated(job: Job, converter: Any, batches: List[Any]) -> Any:
    with job.phase("calibrate"):
        return converter.convert(calibration_input_fn=generator_of(batches))


def _record_calibration(job: Job, images: int, dynamic: bool) -> None:
    if dynamic:
        reason = "with dynamic shapes build() calibrates, and nothing tells the two apart"
        job.record("calibration_s", [None], items=images, reason=reason)
    else:
        job.record("calibration_s", [job.last_phase_s("calibrate")], items=images)


def _refusal(job: Job, error: Exception) -> Exception:
    """What an end of the native segment's use, or of feeding a calibration, comes from: the log
    has TensorRT's reason.
    """
    text = str(error)
    if "native segment" not in text and "calibration data" not in text:
        return error
    lines = engines.fallbacks(engines.log_of(job.folder))
    told = [line for line in lines if "Reason" in line] or lines or [text]
    reason = told[-1]
    return (MemoryError if is_out_of_memory(RuntimeError(reason)) else NoEngine)(reason[:300])


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
