"""A person's own model, really measured: in every toolchain that opens it, or refused by it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from manifests.run_folder import Run
from tests.frameworks.conftest import ROOT, interpreter
from tests.orchestrator.model_bytes import sound

pytestmark = pytest.mark.frameworks

ONNX = """
import sys
import numpy as np, onnx
from onnx import TensorProto, helper, numpy_helper
rng = np.random.default_rng(1)
def constant(name, *shape):
    return numpy_helper.from_array(rng.normal(0, 0.2, shape).astype(np.float32), name)
graph = helper.make_graph(
    [helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], pads=[1, 1, 1, 1]),
     helper.make_node("Relu", ["c1"], ["r1"]),
     helper.make_node("Conv", ["r1", "w2", "b2"], ["c2"], strides=[2, 2]),
     helper.make_node("Relu", ["c2"], ["r2"]),
     helper.make_node("GlobalAveragePool", ["r2"], ["p"]),
     helper.make_node("Flatten", ["p"], ["f"]),
     helper.make_node("Gemm", ["f", "w3", "b3"], ["y"])],
    "small",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 16, 16])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 10])],
    [constant("w1", 16, 3, 3, 3), constant("b1", 16), constant("w2", 32, 16, 3, 3),
     constant("b2", 32), constant("w3", 32, 10), constant("b3", 10)],
)
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
          sys.argv[1])
"""
TFLITE = """
import sys
import numpy as np, tensorflow as tf
tf.random.set_seed(1)
inputs = tf.keras.Input((16, 16, 3))
x = tf.keras.layers.Conv2D(16, 3, activation="relu")(inputs)
x = tf.keras.layers.GlobalAveragePooling2D()(x)
model = tf.keras.Model(inputs, tf.keras.layers.Dense(10)(x))
open(sys.argv[1], "wb").write(tf.lite.TFLiteConverter.from_keras_model(model).convert())
"""


class Place:
    """A folder with models, and the command in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, image: str, script: str, name: str) -> None:
        command = [interpreter(image), "-c", script, name]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=120)

    def __call__(self, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "REPLIQUANT_RUNS": str(self.folder / "runs"),
        }  # fmt: skip
        done = subprocess.run(
            ["repliquant", *arguments], cwd=self.folder, env=environment, capture_output=True,
            text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == status, f"{done.returncode}: {done.stdout}\n{done.stderr}"
        return done

    def measured(self, name: str, *options: str) -> dict[str, Any]:
        command = ("measure", name, "--budget", "1s", "--engine", "local", "--json", *options)
        found: dict[str, Any] = json.loads(self(*command).stdout)
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return Place(tmp_path_factory.mktemp("measure"))


def test_an_onnx_file_is_measured_in_both_runtimes_and_in_int8(place: Place) -> None:
    place.make("onnxruntime-cpu", ONNX, "small.onnx")

    found = place.measured("small.onnx", "--batch", "1", "--accept", "50")

    rows = {(row["framework"], row["technique"]): row for row in found["rows"]}
    assert list(rows) == [
        ("onnxruntime", "model-file"), ("openvino", "model-file"),
        ("onnxruntime", "model-file-int8"), ("openvino", "model-file-int8"),
    ]  # fmt: skip
    assert all(row["status"] == "ok" and row["latency_s"] > 0 for row in rows.values())
    assert rows["openvino", "model-file"]["agreement"] == 1.0
    assert rows["openvino", "model-file"]["sqnr_db"] > 80
    for runtime in ("onnxruntime", "openvino"):
        int8 = rows[runtime, "model-file-int8"]
        assert int8["promised"] == "int8" and int8["proven"] and int8["agreement"] > 0.5
        assert 10 < int8["sqnr_db"] < 80 and int8["samples"] == 72
    assert rows["onnxruntime", "model-file"]["promised"] == "float32"
    assert found["advice"].startswith("At batch 1 ") and "random" in found["unknown"][0]
    run = Run(place.folder / found["run"])
    assert all(one.inputs.weights_file_sha256 for one in run.load().manifests
               if one.cell.technique == "model-file")  # fmt: skip
    assert "onnxruntime" in place("status", found["run"]).stdout
    place("report", found["run"])
    assert "model_sha256" in place("show", run.load().manifests[0].id, "--run", found["run"]).stdout


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("unknown", sound(operator="NoSuchOperator"), "ONNX Runtime refuses the model"),
        ("future", sound(opset=999), "ONNX Runtime refuses the model"),
        ("infinite", sound(operator="Log"), "aren't finite"),
    ],
    ids=["unknown operator", "operator set of the future", "infinity"],
)
def test_what_no_runtime_can_hold_on_to_is_refused_in_a_line(
    place: Place, name: str, content: bytes, why: str
) -> None:
    (place.folder / f"{name}.onnx").write_bytes(content)

    done = place("measure", f"{name}.onnx", "--batch", "1", "--engine", "local", status=2)

    assert why in done.stderr.splitlines()[-1] and not done.stdout
    assert done.stderr.splitlines()[-1].startswith(f"repliquant: {name}.onnx can't be measured: ")


def test_a_tensorflow_lite_file_is_measured_as_it_is(place: Place) -> None:
    place.make("tensorflow-cpu", TFLITE, "small.tflite")

    found = place.measured("small.tflite", "--batch", "2")

    rows = {(row["framework"], row["technique"]): row for row in found["rows"]}
    assert list(rows) == [
        ("tensorflow", "model-file"), ("openvino", "model-file"), ("openvino", "model-file-int8"),
    ]  # fmt: skip
    assert all(row["status"] == "ok" for row in rows.values()), rows
    assert rows["openvino", "model-file"]["agreement"] == 1.0
    assert rows["openvino", "model-file-int8"]["proven"]
