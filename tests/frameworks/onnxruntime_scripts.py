"""What the tests of ONNX Runtime run in its environment."""

from __future__ import annotations

SCALES = """
import json, sys, onnx
from onnx import numpy_helper
graph = onnx.load(sys.argv[1]).graph
wanted = {n.input[1] for n in graph.node if n.op_type == "QuantizeLinear"}
print(json.dumps({t.name: float(numpy_helper.to_array(t)) for t in graph.initializer
                  if t.name in wanted}))
"""

REFUSED = """
import numpy as np, onnx
from pathlib import Path
from onnx import TensorProto, helper
from runners.failures import Unsupported, classify
from runners.onnxruntime.parts.refusals import refusals
import onnxruntime
def model(operator, domain=""):
    entry = helper.make_tensor_value_info("x", TensorProto.INT8, [1, 2, 4, 4])
    exit_ = helper.make_tensor_value_info("y", TensorProto.INT8, None)
    node = helper.make_node(operator, ["x"], ["y"], domain=domain)
    sets = [helper.make_opsetid("", 17), helper.make_opsetid("nobody", 1)]
    graph = helper.make_graph([node], "refused", [entry], [exit_])
    return helper.make_model(graph, opset_imports=sets, ir_version=8).SerializeToString()
refused = model("GlobalAveragePool"), model("Gelu", "nobody"), model("Softplus")
for content in (*refused, b"no model"):
    try:
        with refusals():
            onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:
        print(classify(error).status, classify(error).reason)
"""

PROVIDERS = """
import numpy as np, onnxruntime
from onnxruntime.capi import _pybind_state
from runners.failures import Unsupported
from runners.models.resnet18 import initial_weights, resnet18
from runners.onnx_models.onnx_graph import onnx_model
from runners.onnxruntime.parts import providers, sessions
names = {name for wanted in providers._OF_GPU.values() for name, _ in wanted}
assert names <= set(onnxruntime.get_all_providers()), names
options = onnxruntime.SessionOptions()
options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
model = onnx_model("resnet18", 10, 16, initial_weights(resnet18(10), 0))
runtime = onnxruntime.InferenceSession(model.SerializeToString())
images = np.random.default_rng(0).normal(size=(3, 16, 16, 3)).astype(np.float32)
found = []
for one in (sessions.on_host(runtime), sessions.on_device(runtime, "cpu")):
    answer = one.call(one.place(images))
    found.append((one.outputs(answer), one.classes(answer)))
assert all(np.array_equal(a, b) for a, b in zip(*found)) and found[0][0].shape == (3, 10)
try:
    providers.check_taken([("CUDAExecutionProvider", {})], runtime.get_providers())
except Unsupported as error:
    print(error)
"""
