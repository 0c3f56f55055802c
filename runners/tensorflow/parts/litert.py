"""The LiteRT interpreter: sessions and proof of a .tflite file.

Imports no TensorFlow, except where that is too old for LiteRT and brings the interpreter itself.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any, Dict, List

import numpy as np

from manifests.manifest import Proof
from runners.fidelity import INT8_PROBABILITIES, LOGITS, PROBABILITIES
from runners.inference import Array, Session, evaluate, time_inference
from runners.job import Job
from runners.tensorflow.parts import layers
from runners.tensorflow.parts.files import TFLITE_FILE

try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError:
    from runners.tensorflow.parts import setup  # noqa: F401  before anything that imports TensorFlow
    from tensorflow.lite.python.interpreter import Interpreter, OpResolverType

_COMPUTE = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED")


def session(path: Path, batch_size: int, image_size: int, threads: int) -> Session:
    """Calls on batches of ``batch_size``; ``call`` is ``invoke()`` alone. The file may be one for
    images of another size.

    A shorter batch is filled up with zeros and its surplus answers are dropped.
    """
    interpreter = _interpreter(path, batch_size, image_size, threads)
    entry, exit_ = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def place(images: Array) -> int:
        values = np.zeros(entry["shape"], np.float32)
        values[: len(images)] = images
        interpreter.set_tensor(entry["index"], quantized(values, entry))
        return len(images)

    def call(count: int) -> int:
        interpreter.invoke()
        return count

    def classes(count: int) -> Array:
        return interpreter.get_tensor(exit_["index"])[:count].argmax(1)

    def outputs(count: int) -> Array:
        return dequantized(interpreter.get_tensor(exit_["index"])[:count], exit_)

    kind = _kind(interpreter, exit_)
    return Session(place, call, classes, outputs=outputs, kind=kind)


def _kind(interpreter: Any, exit_: Dict[str, Any]) -> str:
    """What it answers: probabilities where its answer comes from a softmax, else logits."""
    last = [op for op in interpreter._get_ops_details() if exit_["index"] in op["outputs"]]
    if not last or last[-1]["op_name"] != "SOFTMAX":
        return LOGITS
    return PROBABILITIES if exit_["dtype"] == np.float32 else INT8_PROBABILITIES


def quantized(values: Array, tensor: Dict[str, Any]) -> Array:
    """float32 values in the tensor's own type, by its scale and zero point."""
    if tensor["dtype"] == np.float32:
        return values
    scale, zero_point = tensor["quantization"]
    limits = np.iinfo(tensor["dtype"])
    rounded = np.round(values / scale) + zero_point
    return np.clip(rounded, limits.min, limits.max).astype(tensor["dtype"])


def dequantized(values: Array, tensor: Dict[str, Any]) -> Array:
    """A tensor's values as numbers, by its scale and zero point."""
    scale, zero_point = tensor["quantization"]
    if np.issubdtype(tensor["dtype"], np.floating) or not scale:
        return values
    return (values.astype(np.float64) - zero_point) * scale


def prove(path: Path, promised: str) -> Proof:
    """Operations by the data type of their output, from the flatbuffer's own tensors."""
    interpreter = Interpreter(str(path), num_threads=1)
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    operations: Dict[str, Counter[str]] = {}
    for operation in interpreter._get_ops_details():
        if operation["op_name"] == "DELEGATE":
            continue
        kind = np.dtype(tensors[operation["outputs"][0]]["dtype"]).name
        operations.setdefault(kind, Counter())[operation["op_name"]] += 1
    compute = {kind: sum(ops[name] for name in _COMPUTE) for kind, ops in operations.items()}
    total = sum(compute.values())
    return Proof(
        promised=promised,
        operations={kind: dict(ops) for kind, ops in operations.items()},
        coverage=compute.get(promised, 0) / total if total else None,
        fallback=[
            f"{name} x{count} in {kind}"
            for kind, ops in operations.items()
            if kind != promised
            for name, count in ops.items()
        ],
        source="tensor types of the TFLite graph",
    )


def finish_model(job: Job, test_images: int, promised: str) -> None:
    """Accuracy and proof of the .tflite file that this cell made."""
    path = job.folder / TFLITE_FILE
    batch = job.cell.batch_size
    ready = session(path, batch, job.cell.image_size, job.threads)
    evaluate(job, ready, test_images, batch)
    job.proof = prove(path, promised)
    job.layers = lambda images: layers.compare(job, inside(path, images, job.threads), images)


def time_model(job: Job, promised: str) -> None:
    """Latency, end-to-end time and proof of the parent's .tflite file."""
    path = job.weights.file(TFLITE_FILE)
    with job.phase("build"):
        ready = session(path, job.cell.batch_size, job.cell.image_size, job.threads)
    time_inference(job, ready)
    job.proof = prove(path, promised)


def keeping_all(content: bytes) -> Any:
    """An interpreter of a model by TFLite's own kernels, of which every tensor can be read."""
    interpreter = Interpreter(
        model_content=content,
        num_threads=1,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    return interpreter


def inside(path: Path, images: Array, threads: int) -> List[layers.Inner]:
    """What every operation makes of float32 ``images``, dequantized, in the order of execution.

    By TFLite's own kernels: a delegate keeps what lies between its operations to itself.
    """
    interpreter = Interpreter(
        str(path),
        num_threads=threads,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    entry = interpreter.get_input_details()[0]
    interpreter.resize_tensor_input(entry["index"], list(images.shape))
    interpreter.allocate_tensors()
    interpreter.set_tensor(entry["index"], quantized(images, entry))
    interpreter.invoke()
    tensors = {tensor["index"]: tensor for tensor in interpreter.get_tensor_details()}
    found = []
    for operation in interpreter._get_ops_details():
        tensor = tensors[operation["outputs"][0]]
        values = dequantized(interpreter.get_tensor(tensor["index"]), tensor)
        found.append(layers.Inner(operation["op_name"], tensor["name"], values))
    return found


def _interpreter(path: Path, batch_size: int, image_size: int, threads: int) -> Any:
    interpreter = Interpreter(str(path), num_threads=threads)
    entry = interpreter.get_input_details()[0]
    shape = [batch_size, image_size, image_size, entry["shape"][-1]]
    interpreter.resize_tensor_input(entry["index"], shape)
    interpreter.allocate_tensors()
    return interpreter
