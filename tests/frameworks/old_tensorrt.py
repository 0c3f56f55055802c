"""TF-TRT of TensorFlow 2.8 and a current one, and our conversions on it, printed as JSON.

Called as ``python old_tensorrt.py FACT``; tests/frameworks/test_tensorflow_2_8.py reads it.
Python 3.8 code.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.compiler.tensorrt import trt_convert
from tensorflow.python.eager import wrap_function

from manifests.cell import Cell
from runners.events import Emitter
from runners.failures import Unsupported, classify
from runners.fidelity import LOGITS
from runners.job import Job
from runners.tensorflow.parts import (
    engines,
    setup,  # noqa: F401  sets variables that TensorFlow reads
    tensorrt,
)


class Recorder:
    """Stands in for a converter and keeps what it is given, generators unrolled.

    ``engines``: how many its conversion yields. ``failing``: what ``build`` raises.
    """

    engines = 1
    failing: Any = None

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments
        self.calls: list[Any] = []

    def convert(self, calibration_input_fn: Any = None) -> Any:
        self.calls.append(["convert", _unrolled(calibration_input_fn)])
        graph = tf.compat.v1.GraphDef()
        for number in range(self.engines):
            graph.node.add(op="TRTEngineOp", name=f"TRTEngineOp_0_{number}")
        return types.SimpleNamespace(graph=types.SimpleNamespace(as_graph_def=lambda: graph))

    def build(self, input_fn: Any) -> None:
        self.calls.append(["build", _unrolled(input_fn)])
        if self.failing is not None:
            raise self.failing

    def save(self, output_saved_model_dir: str) -> None:
        self.calls.append(["save", None])


def _unrolled(function: Any) -> Any:
    if function is None:
        return None
    generator = function()
    assert isinstance(generator, types.GeneratorType), type(generator)
    return [[type(item).__name__, [list(part.shape) for part in item]] for item in generator]


def converter_arguments() -> dict[str, Any]:
    """Our arguments bound to the real signatures of this TensorFlow."""
    kind = trt_convert.TrtGraphConverterV2
    made = {}
    for precision in ("FP32", "FP16", "INT8"):
        for shapes in ("implicit", "dynamic"):
            ours = tensorrt.new_converter(Recorder, "/model", precision, shapes == "dynamic")
            bound = inspect.signature(kind.__init__).bind(None, **ours.arguments)
            bound.apply_defaults()
            made[f"{precision} {shapes}"] = {
                name: str(bound.arguments[name])
                for name in ("precision_mode", "minimum_segment_size", "use_calibration",
                             "maximum_cached_engines", "allow_build_at_runtime",
                             "use_dynamic_shape", "dynamic_shape_profile_strategy")
            }  # fmt: skip
    accepted = trt_convert.TrtPrecisionMode.supported_precision_modes()
    assert {"FP32", "FP16", "INT8"} <= set(accepted), accepted
    assert "Optimal" in trt_convert.supported_profile_strategies()
    for method, arguments in (("convert", {"calibration_input_fn": None}),
                              ("build", {"input_fn": None}),
                              ("save", {"output_saved_model_dir": "x"})):  # fmt: skip
        inspect.signature(getattr(kind, method)).bind(None, **arguments)
    return made


def input_functions() -> dict[str, Any]:
    batches = [np.zeros((8, 48, 48, 3), np.float32)] * 2
    return {"two batches": _unrolled(tensorrt.generator_of(batches))}


def without_tensorrt() -> list[str]:
    try:
        tensorrt.new_converter(tensorrt._converter_class(), "/model", "INT8")
    except Unsupported as error:
        return list(classify(error)[:2])
    return ["made", ""]


WARNINGS = {
    "creation": "2022-03-01 W tensorflow/compiler/tf2tensorrt/kernels/trt_engine_op.cc:852] TF-TRT "
    "Warning: Engine creation for PartitionedCall/TRTEngineOp_0_1 failed. The native segment will "
    "be used instead. Reason: UNIMPLEMENTED: Subgraph contains unsupported operation.",
    "retrieval": "TF-TRT Warning: Engine retrieval for input shapes: [[8,48,48,3]] failed. Running "
    "native segment for TRTEngineOp_0_1",
    "execution": "TF-TRT Warning: Failed to execute engine: INTERNAL: Failed to enqueue batch. "
    "Retrying with native segment for TRTEngineOp_0_1",
    "shapes": "TF-TRT Warning: Running native segment forTRTEngineOp_0_1 due to failure in "
    "verifying input shapes: Input shapes are inconsistent on the batch dimension",
    "unnamed": "TF-TRT Warning: Running native segment for something else",
    "nothing": "I tensorflow/core: Linked TensorRT version: 8.2.3",
}


def _loaded_graph(folder: str) -> Any:
    """A graph as TF-TRT leaves it, two native segments and a product outside of them, really
    saved and loaded; the nodes of the engines, whose operation no processor has, added after it.
    """
    weights = tf.ones((1, 1, 3, 3))

    @tf.function(input_signature=[tf.TensorSpec((1, 4, 4, 3), tf.float32)])
    def first(x: Any) -> Any:
        return tf.nn.conv2d(tf.nn.conv2d(x, weights, 1, "SAME"), weights, 1, "SAME")

    @tf.function(input_signature=[tf.TensorSpec((1, 4, 4, 3), tf.float32)])
    def second(x: Any) -> Any:
        return tf.nn.conv2d(x, weights, 1, "SAME")

    @tf.function(input_signature=[tf.TensorSpec((1, 4, 4, 3), tf.float32)])
    def whole(x: Any) -> Any:
        return tf.matmul(tf.reshape(second(first(x)), (1, 48)), tf.ones((48, 2)))

    definition = whole.get_concrete_function().graph.as_graph_def()
    for function in definition.library.function:
        number = 0 if "first" in function.signature.name else 1
        new = f"TRTEngineOp_0_{number}_native_segment"
        for node in definition.node:
            if node.op.endswith("PartitionedCall") and node.attr["f"].func.name == (
                function.signature.name
            ):
                node.attr["f"].func.name = new
        function.signature.name = new
    converted = wrap_function.function_from_graph_def(
        definition, [definition.node[0].name + ":0"], [definition.node[-1].name + ":0"]
    )
    module = tf.Module()
    tf.saved_model.save(module, folder, signatures={"serving_default": converted})
    loaded = tf.saved_model.load(folder)
    graph = loaded.signatures["serving_default"].graph.as_graph_def()
    for number in range(2):
        graph.node.add(op="TRTEngineOp", name=f"TRTEngineOp_0_{number}")
    return graph


def engine_graph() -> dict[str, Any]:
    """The proof of a loaded graph: by built engines, and by each of the log's warnings."""
    with tempfile.TemporaryDirectory() as folder:
        graph = _loaded_graph(folder)
        assets = Path(folder) / "assets"
        assets.mkdir(exist_ok=True)
        (assets / "trt-serialized-engine.TRTEngineOp_0_0").write_bytes(b"an engine")
        (assets / "trt-serialized-engine.TRTEngineOp_0_1").write_bytes(b"")
        built = engines.serialized(Path(folder))
    found = engines.engines_of(graph)
    proofs = {"all": engines.prove(found, "INT8", set(), "by the graph")}
    proofs["built"] = engines.prove(found, "INT8", set(found.inside) - built, "by the graph")
    proofs["FP32"] = engines.prove(found, "FP32", set(), "by the graph")
    segments = [f.signature.name for f in graph.library.function if "native" in f.signature.name]
    return {
        "renamed": all(re.search(r"native_segment_\d+$", name) for name in segments),
        "inside": found.inside,
        "proofs": {
            name: {"operations": proof.operations, "coverage": proof.coverage,
                   "fallback": proof.fallback, "source": proof.source}
            for name, proof in proofs.items()
        },
        "fell": {
            name: sorted(engines.named(engines.fallbacks(line), found))
            for name, line in WARNINGS.items()
        },
    }  # fmt: skip


def _convert(kind: Any, tensorrt_version: Any, protocol: str, log: str = "") -> list[str]:
    """How a conversion ends whose converter is ``kind``: "loaded", or status and reason."""
    engines.linked_tensorrt = lambda: tensorrt_version
    tensorrt._converter_class = lambda: kind
    tensorrt.trained_model = lambda job: None
    tensorrt.signature_session = lambda model, folder: types.SimpleNamespace(kind=LOGITS)
    tensorrt.timed_input = lambda job: tensorrt.generator_of([np.zeros((8, 4, 4, 3), np.float32)])
    tensorrt._loaded = lambda folder, kind: None
    cell = Cell(
        study="s", task="infer", framework="tensorflow", technique="tftrt-fp16", model="m",
        dataset="d", image_size=4, batch_size=8, seed=0, protocol=protocol, tier="quick",
        recipe={}, device="gpu",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "log.txt").write_text(log)
        job = Job(cell, Path(folder), None, None, 1, Emitter(None))
        try:
            tensorrt.converted(job, "FP16", Path(folder), 8)
        except Exception as error:  # noqa: BLE001  whatever a cell would end with
            return list(classify(error)[:2])
    return ["loaded", ""]


def conversions() -> dict[str, list[str]]:
    """Conversions that yield no engine, whose engines can't be built, or that have no GPU."""

    class Empty(Recorder):
        engines = 0

    class OnlyDynamic(Recorder):
        @property
        def engines(self) -> int:
            return int("use_dynamic_shape" in self.arguments)

    aborted = tf.errors.AbortedError(None, None, "User disallowed engine native segment execution")

    class Unbuilt(Recorder):
        failing = aborted

    class Blind(Recorder):
        def convert(self, calibration_input_fn: Any = None) -> Any:
            raise ValueError("Specified device is not a GPU: /job:localhost/device:CPU:0")

    class Broken(Recorder):
        failing = tf.errors.InternalError(None, None, "CUDA error: illegal memory access")

    full = WARNINGS["creation"].replace("UNIMPLEMENTED: Subgraph", "OOM: out of memory, Subgraph")
    return {
        "one": _convert(Recorder, (8, 2, 3), "rigorous"),
        "none": _convert(Empty, (8, 2, 3), "rigorous"),
        "none of 10": _convert(Empty, (10, 8, 0), "rigorous"),
        "dynamic": _convert(OnlyDynamic, (10, 8, 0), "rigorous"),
        "dynamic as published": _convert(OnlyDynamic, (10, 8, 0), "as-published"),
        "unbuilt": _convert(Unbuilt, (8, 2, 3), "rigorous", WARNINGS["creation"]),
        "full": _convert(Unbuilt, (8, 2, 3), "rigorous", full),
        "blind": _convert(Blind, (), "rigorous"),
        "broken": _convert(Broken, (8, 2, 3), "rigorous"),
    }


if __name__ == "__main__":
    fact = globals()[sys.argv[1]]
    print(json.dumps(fact()))
