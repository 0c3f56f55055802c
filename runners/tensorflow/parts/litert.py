"""The LiteRT interpreter: sessions and proof of a .tflite file.

Imports no TensorFlow, except where that is too old for LiteRT and brings the interpreter itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Tuple

import numpy as np

from manifests.manifest import Proof
from runners import affine
from runners.batch_norms import record_batch_norms
from runners.failures import Unsupported, first_line
from runners.inference import Array, Session, evaluate, time_inference
from runners.job import Job
from runners.precision_proof import Operation
from runners.tensorflow.parts import layers
from runners.tensorflow.parts.files import TFLITE_FILE
from runners.tflite_types import Graph, prove_graph, refuse_other_types

try:
    from ai_edge_litert.interpreter import Interpreter, OpResolverType
except ImportError:
    from runners.tensorflow.parts import setup  # noqa: F401  before anything that imports TensorFlow
    from tensorflow.lite.python.interpreter import Interpreter, OpResolverType


def session(path: Path, batch_size: int, image_size: int, threads: int) -> Session:
    """Calls on batches of ``batch_size``; ``call`` is ``invoke()`` alone. The file may be one for
    images of another size.

    A shorter batch is filled up with zeros and its surplus answers are dropped.
    """
    return calling(_interpreter(path, batch_size, image_size, threads))


def calling(interpreter: Any) -> Session:
    """Calls of an interpreter whose tensors lie ready, on batches of the size that it takes."""
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

    kind = _graph(interpreter).answers(exit_["index"])
    return Session(place, call, classes, outputs=outputs, kind=kind)


def quantized(values: Array, tensor: Dict[str, Any]) -> Array:
    """float32 values in the tensor's own type, by its scale and zero point."""
    return affine.quantized(values, tensor["dtype"], *tensor["quantization"])


def dequantized(values: Array, tensor: Dict[str, Any]) -> Array:
    """A tensor's values as numbers, by its scale and zero point."""
    return affine.dequantized(values, *tensor["quantization"])


def prove(path: Path, promised: str) -> Proof:
    """Operations by the data types that they compute in, from the flatbuffer's own tensors."""
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()  # only now a delegate has taken what it takes
    return prove_graph(_graph(interpreter), promised)


def _graph(interpreter: Any) -> Graph:
    return Graph(interpreter._get_ops_details(), interpreter.get_tensor_details())


def check_file(path: Path) -> None:
    """Raises Unsupported for a file that is no model, was cut off, or is of another format."""
    try:
        Interpreter(str(path), num_threads=1)
    except ValueError as error:
        raise Unsupported(f"{path.name} is not a TFLite model: {first_line(error)}") from error


def signature(path: Path) -> Tuple[str, str]:
    """The names of a file's first signature and of its first input. Raises Unsupported."""
    for name, sides in Interpreter(str(path), num_threads=1).get_signature_list().items():
        return name, sides["inputs"][0]
    raise Unsupported(f"{path.name} has no signature, whose inputs would have names")


def finish_model(job: Job, test_images: int, promised: str) -> None:
    """Accuracy and proof of the .tflite file that this cell made."""
    path = job.folder / TFLITE_FILE
    batch = job.cell.batch_size
    ready = session(path, batch, job.cell.image_size, job.threads)
    _prove(job, path, promised)
    _count_batch_norms(job, path)
    evaluate(job, ready, test_images, batch)
    job.layers = lambda images: layers.compare(job, inside(path, images, job.threads), images)


def time_model(job: Job, promised: str) -> None:
    """Latency, end-to-end time and proof of the parent's .tflite file."""
    path = job.weights.file(TFLITE_FILE)
    with job.phase("build"):
        ready = session(path, job.cell.batch_size, job.cell.image_size, job.threads)
    _prove(job, path, promised)
    time_inference(job, ready)


def _prove(job: Job, path: Path, promised: str) -> None:
    """Set the job's proof. Raises Unsupported where nothing computes as promised."""
    if job.promises(promised, path):
        return
    job.proof = prove(path, promised)
    refuse_other_types(path.name, job.proof)


def _count_batch_norms(job: Job, path: Path) -> None:
    """A BatchNorm that isn't folded is a product and a sum; nothing else here is a product."""
    left = _graph(Interpreter(str(path), num_threads=1)).count("MUL")
    record_batch_norms(job, left, "MUL operations of the TFLite graph")


def of_content(content: bytes, threads: int = 1) -> Any:
    """An interpreter of a model that lies on no disk; its tensors are not allocated yet."""
    return Interpreter(model_content=content, num_threads=threads)


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
    check_file(path)
    interpreter = Interpreter(str(path), num_threads=threads)
    entry = interpreter.get_input_details()[0]
    shape = [batch_size, image_size, image_size, entry["shape"][-1]]
    interpreter.resize_tensor_input(entry["index"], shape)
    try:
        interpreter.allocate_tensors()
    except RuntimeError as error:
        raise Unsupported(f"LiteRT refuses {path.name}: {first_line(error)}") from error
    return interpreter


def for_batches(path: Path, batch_size: int, threads: int) -> Any:
    """An interpreter of a file whose inputs, whatever they are, come in batches of that size."""
    interpreter = Interpreter(str(path), num_threads=threads)
    entry = interpreter.get_input_details()[0]
    shape = [batch_size, *map(int, entry["shape"][1:])]
    interpreter.resize_tensor_input(entry["index"], shape)
    interpreter.allocate_tensors()
    return interpreter


def operations(path: Path) -> List[Operation]:
    """All operations of a file with the type that each computes in."""
    interpreter = Interpreter(str(path), num_threads=1)
    interpreter.allocate_tensors()
    graph = _graph(interpreter)
    return [Operation(one["op_name"], graph.kind(one), 1) for one in graph.operations]
