"""Proves that this environment can do what the studies need: each function is a check."""

import os

os.environ["NNCF_CI"] = "1"


def _network():
    import numpy as np
    import onnx
    import openvino
    from onnx import TensorProto, helper, numpy_helper

    kernel = np.random.default_rng(0).standard_normal((8, 3, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["images", "kernel"], ["maps"], name="conv")],
        "check",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("maps", TensorProto.FLOAT, [1, 8, 6, 6])],
        [numpy_helper.from_array(kernel, "kernel")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return openvino.Core().read_model(model.SerializeToString())


def _kernels(network):
    """The kernels of the convolutions, as the plug-in names them."""
    import openvino

    hint = {"INFERENCE_PRECISION_HINT": "f32"}
    nodes = openvino.Core().compile_model(network, "CPU", hint).get_runtime_model().get_ops()
    notes = [node.get_rt_info() for node in nodes]
    return [
        n["primitiveType"].astype(str) for n in notes if n["layerType"].astype(str) == "Convolution"
    ]


def a_network_of_onnx_runs() -> str:
    import openvino

    kernels = _kernels(_network())
    assert kernels and all(name.endswith("f32") for name in kernels), kernels
    return f"openvino {openvino.__version__}, {kernels[0]}"


def nncf_makes_int8_that_runs_in_int8() -> str:
    import nncf
    import numpy as np

    images = np.random.default_rng(1).standard_normal((4, 1, 3, 8, 8)).astype(np.float32)
    kernels = _kernels(nncf.quantize(_network(), nncf.Dataset(list(images)), subset_size=4))
    assert kernels and all(name.endswith("I8") for name in kernels), kernels
    return f"nncf {nncf.__version__}, {kernels[0]}"


def no_training_framework_is_here() -> str:
    import importlib.util

    there = [name for name in ("torch", "tensorflow") if importlib.util.find_spec(name)]
    assert not there, there
    return "neither torch nor tensorflow: networks come as ONNX or TFLite"
