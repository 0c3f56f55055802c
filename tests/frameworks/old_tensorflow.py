"""Facts about TensorFlow 2.8 and our code on it, printed as JSON. Runs under Python 3.8.

Called as ``python old_tensorflow.py FACT``; tests/frameworks/test_tensorflow_2_8.py reads it.
"""

from __future__ import annotations

import inspect
import json
import sys
import tempfile
import types
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.python.compiler.tensorrt import trt_convert

from runners.applications import APPLICATIONS, application, initial_arrays
from runners.failures import Unsupported, classify
from runners.tensorflow.parts import (
    setup,  # noqa: F401  sets variables that TensorFlow reads
    tensorrt,
)
from runners.tensorflow.parts.applications import build, load_arrays
from runners.tensorflow.parts.graphs import compute_types
from runners.tensorflow.parts.keras_sessions import (
    call_session,
    predict_session,
    signature_session,
    xla_session,
)


def versions() -> dict[str, Any]:
    return {"python": sys.version_info[:2], "tf": tf.__version__, "keras": tf.keras.__version__}


def parameters() -> dict[str, int]:
    return {
        f"{model} {size}": build(application(model, 10, size)).count_params()
        for model in APPLICATIONS
        for size in (48, 128)
    }


def sessions() -> dict[str, Any]:
    """Every way to call MobileNet_v1 gives the same probabilities."""
    network = application("mobilenet-v1", 10, 48)
    model = build(network)
    load_arrays(model, network, initial_arrays(network, 1))
    images = np.random.default_rng(0).integers(0, 256, (4, 48, 48, 3)).astype(np.float32)
    with tempfile.TemporaryDirectory() as folder:
        found = {
            name: session.call(session.place(images))
            for name, session in (
                ("call", call_session(model)),
                ("predict", predict_session(model)),
                ("signature", signature_session(model, folder)),
                ("xla", xla_session(model, 4)),
            )
        }
    answers = {name: np.asarray(answer) for name, answer in found.items()}
    return {
        "shape": answers["call"].shape,
        "sums": answers["call"].sum(1).tolist(),
        "apart": {n: float(np.abs(a - answers["call"]).max()) for n, a in answers.items()},
    }


def heads() -> dict[str, str]:
    """The type of the last layer under mixed_float16, by form of the head."""
    network = application("mobilenet-v1", 10, 48)
    return {
        form: build(network, "mixed_float16", published).output.dtype.name
        for form, published in (("published", True), ("rigorous", False))
    }


class Recorder:
    """Stands in for a converter and keeps what it is given, generators unrolled."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments
        self.calls: list[Any] = []

    def convert(self, calibration_input_fn: Any = None) -> None:
        self.calls.append(["convert", _unrolled(calibration_input_fn)])

    def build(self, input_fn: Any) -> None:
        self.calls.append(["build", _unrolled(input_fn)])

    def save(self, output_saved_model_dir: str) -> None:
        self.calls.append(["save", None])


def _unrolled(function: Any) -> Any:
    if function is None:
        return None
    generator = function()
    assert isinstance(generator, types.GeneratorType), type(generator)
    return [[type(item).__name__, [list(part.shape) for part in item]] for item in generator]


def converter_arguments() -> dict[str, Any]:
    """Our arguments bound to the real signatures of TF 2.8."""
    kind = trt_convert.TrtGraphConverterV2
    made = {}
    for precision in ("FP32", "FP16", "INT8"):
        ours = tensorrt.new_converter(Recorder, "/model", precision).arguments
        bound = inspect.signature(kind.__init__).bind(None, **ours)
        bound.apply_defaults()
        made[precision] = {
            name: str(bound.arguments[name])
            for name in ("precision_mode", "minimum_segment_size", "use_calibration",
                         "maximum_cached_engines", "allow_build_at_runtime")
        }  # fmt: skip
    accepted = trt_convert.TrtPrecisionMode.supported_precision_modes()
    assert set(made) <= set(accepted), accepted
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


def engine_graph() -> dict[str, Any]:
    """The proof of a graph laid out as TF-TRT leaves it: one engine, its segment as a function."""
    graph = tf.compat.v1.GraphDef()
    graph.node.add(op="TRTEngineOp", name="TRTEngineOp_0_0")
    graph.node.add(op="MatMul", name="outside").attr["T"].type = tf.float32.as_datatype_enum
    segment = graph.library.function.add()
    segment.signature.name = "TRTEngineOp_0_0_native_segment"
    for name in ("Conv2D", "Conv2D", "DepthwiseConv2dNative"):
        segment.node_def.add(op=name).attr["T"].type = tf.float32.as_datatype_enum
    proof = tensorrt.prove(graph, "INT8")
    return {
        "operations": proof.operations, "coverage": proof.coverage, "fallback": proof.fallback,
        "source": proof.source,
    }  # fmt: skip


def mixed_types() -> dict[str, Any]:
    """The types that a mixed_float16 forward pass computes in."""
    network = application("mobilenet-v1", 10, 48)
    model = build(network, "mixed_float16")
    graph = tf.function(lambda x: model(x, training=True)).get_concrete_function(
        tf.TensorSpec((2, 48, 48, 3), tf.float32)
    )
    types_ = compute_types(graph.graph.as_graph_def())
    return {"types": types_, "variables": sorted({v.dtype.name for v in model.variables})}


if __name__ == "__main__":
    fact = globals()[sys.argv[1]]
    print(json.dumps(fact()))
