"""Proves that this environment can do what the studies need: each function is a check."""

import json
import tempfile
from pathlib import Path


def _a_convolution():
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    weight = numpy_helper.from_array(np.ones((8, 4, 3, 3), np.float32), "weight")
    shape = ["batch", 4, 8, 8]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "weight"], ["y"])],
        "convolution",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 8, 6, 6])],
        [weight],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def a_model_is_built_and_runs() -> str:
    import numpy as np
    import onnx
    import onnxruntime

    model = _a_convolution()
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    found = session.run(None, {"x": np.ones((2, 4, 8, 8), np.float32)})[0]
    assert found.shape == (2, 8, 6, 6) and float(found[0, 0, 0, 0]) == 36.0
    return f"onnxruntime {onnxruntime.__version__}, onnx {onnx.__version__}"


def int8_convolutions_run_and_are_profiled() -> str:
    import numpy as np
    import onnxruntime
    from onnxruntime import quantization

    class Once(quantization.CalibrationDataReader):
        def __init__(self) -> None:
            rng = np.random.default_rng(0)
            self.left = iter([{"x": rng.normal(size=(2, 4, 8, 8)).astype(np.float32)}])

        def get_next(self):
            return next(self.left, None)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quantized.onnx"
        quantization.quantize_static(
            _a_convolution(), path, Once(), per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
        )  # fmt: skip
        options = onnxruntime.SessionOptions()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        session.run(None, {"x": np.ones((2, 4, 8, 8), np.float32)})
        events = json.loads(Path(session.end_profiling()).read_text())
    ran = {event["args"]["op_name"] for event in events if event["cat"] == "Node"}
    assert "QLinearConv" in ran, ran
    return "a quantized convolution is one integer kernel, and the profile shows it"
