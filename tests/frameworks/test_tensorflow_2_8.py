"""TensorFlow 2.8.4 under Python 3.8, really run: networks, calls, and TF-TRT's real API."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.frameworks.conftest import interpreter

pytestmark = pytest.mark.frameworks


@pytest.fixture(
    scope="session",
    params=["tensorflow-22.03", pytest.param("tensorflow-cpu", marks=pytest.mark.thorough)],
)
def each_python(request: pytest.FixtureRequest) -> Path:
    """That one, and that of a current TensorFlow."""
    return interpreter(request.param)


TENSORRT = "old_tensorrt.py"


def fact(python: Path, name: str, asked: str = "old_tensorflow.py") -> Any:
    script = Path(__file__).with_name(asked)
    done = subprocess.run(
        [python, script, name],
        env={
            **os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
            "TF_USE_LEGACY_KERAS": "1",  # as runners.tensorflow.parts.setup has it before an import
        },
        capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_it_is_tensorflow_2_8_on_python_3_8(old_python: Path) -> None:
    assert fact(old_python, "versions") == {"python": [3, 8], "tf": "2.8.4", "keras": "2.8.0"}


def test_the_networks_have_the_parameters_of_keras_applications(old_python: Path) -> None:
    assert fact(old_python, "parameters") == {
        "vgg16 48": 14_741_568, "vgg16 128": 15_125_568,
        "resnet50 48": 23_998_592, "resnet50 128": 25_227_392,
        "mobilenet-v1 48": 3_281_344, "mobilenet-v1 128": 4_049_344,
    }  # fmt: skip


def test_every_way_of_calling_computes_the_same(old_python: Path) -> None:
    found = fact(old_python, "sessions")
    assert found["shape"] == [4, 10]
    assert found["sums"] == pytest.approx([1.0] * 4, abs=1e-5)
    assert set(found["apart"]) == {"call", "predict", "signature", "xla"}
    assert max(found["apart"].values()) < 1e-4


def test_the_published_head_answers_in_float16_and_ours_in_float32(old_python: Path) -> None:
    assert fact(old_python, "heads") == {"published": "float16", "rigorous": "float32"}


def test_amp_computes_in_float16_and_keeps_variables_in_float32(old_python: Path) -> None:
    found = fact(old_python, "mixed_types")
    assert found["variables"] == ["float32"]
    assert found["types"]["float16"]["Conv2D"] == 14
    assert found["types"]["float16"]["DepthwiseConv2dNative"] == 13
    assert not {"Conv2D", "MatMul"} & set(found["types"].get("float32", {}))


@pytest.mark.parametrize("precision", ["FP32", "FP16", "INT8"])
def test_our_calls_fit_the_real_converter(each_python: Path, precision: str) -> None:
    made = fact(each_python, "converter_arguments", TENSORRT)
    usual = {
        "minimum_segment_size": "3", "maximum_cached_engines": "1",
        "allow_build_at_runtime": "True", "precision_mode": precision,
        "use_calibration": str(precision == "INT8"),
    }  # fmt: skip
    assert made[f"{precision} implicit"] == {
        **usual, "use_dynamic_shape": "None", "dynamic_shape_profile_strategy": "None",
    }  # fmt: skip
    assert made[f"{precision} dynamic"] == {
        **usual, "use_dynamic_shape": "True", "dynamic_shape_profile_strategy": "Optimal",
    }  # fmt: skip


def test_input_functions_are_generators_of_tuples(old_python: Path) -> None:
    batch = ["tuple", [[8, 48, 48, 3]]]
    assert fact(old_python, "input_functions", TENSORRT) == {"two batches": [batch, batch]}


def test_without_tensorrt_the_reason_is_tensorflows_own(each_python: Path) -> None:
    assert fact(each_python, "without_tensorrt", TENSORRT) == [
        "unsupported", "Tensorflow has not been built with TensorRT support.",
    ]  # fmt: skip


@pytest.fixture(scope="session")
def engine_graph(each_python: Path) -> Any:
    return fact(each_python, "engine_graph", TENSORRT)


def test_engines_and_what_lies_outside_are_counted_after_saving_and_loading(
    engine_graph: Any,
) -> None:
    """TensorFlow gives the functions of a loaded model other names than TF-TRT gave them."""
    assert engine_graph["renamed"] is True
    assert engine_graph["inside"] == {
        "TRTEngineOp_0_0": {"Conv2D": 2}, "TRTEngineOp_0_1": {"Conv2D": 1},
    }  # fmt: skip
    assert engine_graph["proofs"]["all"] == {
        "operations": {"int8": {"Conv2D": 3, "TRTEngineOp": 2}, "float32": {"MatMul": 1}},
        "coverage": 0.75,
        "fallback": ["MatMul x1 outside of engines"],
        "source": "2 TRTEngineOp nodes of precision mode INT8, by the graph",
    }
    assert engine_graph["proofs"]["FP32"]["coverage"] == 0.75
    assert engine_graph["proofs"]["FP32"]["operations"] == {
        "float32": {"Conv2D": 3, "MatMul": 1, "TRTEngineOp": 2}
    }


def test_an_engine_that_was_not_built_covers_nothing(engine_graph: Any) -> None:
    proof = engine_graph["proofs"]["built"]
    assert proof["coverage"] == 0.5
    assert proof["operations"] == {
        "int8": {"Conv2D": 2, "TRTEngineOp": 1}, "float32": {"MatMul": 1, "Conv2D": 1},
    }  # fmt: skip
    assert proof["fallback"][1] == "Conv2D x1 in native segments"


def test_the_log_tells_which_engine_fell_back(engine_graph: Any) -> None:
    """In each of the words that TensorFlow has for it; all, where it names none."""
    fell = dict(engine_graph["fell"])
    assert fell.pop("nothing") == []
    assert fell.pop("unnamed") == ["TRTEngineOp_0_0", "TRTEngineOp_0_1"]
    assert set(fell) == {"creation", "retrieval", "execution", "shapes"}
    assert all(names == ["TRTEngineOp_0_1"] for names in fell.values())


def test_a_conversion_without_an_engine_is_unsupported_and_never_ok(each_python: Path) -> None:
    ended = fact(each_python, "conversions", TENSORRT)
    none = "TF-TRT yields no engine: no part of the graph became one"
    assert ended["one"] == ended["dynamic"] == ["loaded", ""]
    assert ended["none"] == ["unsupported", none]
    assert ended["none of 10"] == [
        "unsupported", f"{none}; no part of the graph became one with dynamic shapes",
    ]  # fmt: skip
    assert ended["dynamic as published"][0] == "unsupported"
    assert "TensorRT 10.8.0 has no implicit batch" in ended["dynamic as published"][1]
    assert ended["unbuilt"] == [
        "unsupported",
        "TF-TRT yields no engine: Engine creation for PartitionedCall/TRTEngineOp_0_1 failed. The "
        "native segment will be used instead. Reason: UNIMPLEMENTED: Subgraph contains "
        "unsupported operation.",
    ]
    assert ended["full"][0] == "oom"
    assert ended["blind"] == [
        "unsupported", "Specified device is not a GPU: /job:localhost/device:CPU:0",
    ]  # fmt: skip
    assert ended["broken"] == ["crashed", "InternalError: CUDA error: illegal memory access"]


def test_predict_splits_64_images_as_published_and_not_in_the_rigorous_protocol(
    each_python: Path,
) -> None:
    assert fact(each_python, "steps_per_call") == {
        "rigorous 8": 1, "rigorous 32": 1, "rigorous 64": 1, "rigorous 65": 1,
        "as-published 8": 1, "as-published 32": 1, "as-published 64": 2, "as-published 65": 3,
    }  # fmt: skip


def test_layers_of_a_tflite_file_stand_beside_those_of_keras(each_python: Path) -> None:
    """By LiteRT, and by the interpreter of a TensorFlow that is too old for it."""
    found = fact(each_python, "tflite_layers")
    assert found["names"] == ["stem_relu", "inner_bn", "joined_relu", "pool", "head", "softmax"]
    assert found["unmatched"] == []
    assert all(20 < db < 60 for db in found["db"])
    assert found["by_hand"] == pytest.approx(found["db"][2], abs=1e-3)
    assert found["kind"] == "int8 probabilities" and found["steps"] == 0
    # With a delegate and without: at most a step apart here and there.
    assert found["last"] is None or found["last"] > 25
