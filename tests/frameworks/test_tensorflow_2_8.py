"""TensorFlow 2.8.4 under Python 3.8, really run: networks, calls, and TF-TRT's real API."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engines import venvs
from orchestrator.images import load_image
from orchestrator.interpreters import find_interpreter
from tests.conftest import ROOT

pytestmark = pytest.mark.frameworks


@pytest.fixture(scope="session")
def old_python() -> Path:
    """The interpreter of tensorflow-22.03, built when it is not there yet."""
    image = load_image("tensorflow-22.03")
    find_interpreter(image.file.python)
    venvs.build(image, lambda note: None)
    return venvs.interpreter(image)


def fact(python: Path, name: str) -> Any:
    script = Path(__file__).with_name("old_tensorflow.py")
    done = subprocess.run(
        [python, script, name],
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
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


def test_our_calls_fit_the_real_converter(old_python: Path) -> None:
    usual = {
        "minimum_segment_size": "3", "maximum_cached_engines": "1",
        "allow_build_at_runtime": "True",
    }  # fmt: skip
    assert fact(old_python, "converter_arguments") == {
        "FP32": {**usual, "precision_mode": "FP32", "use_calibration": "False"},
        "FP16": {**usual, "precision_mode": "FP16", "use_calibration": "False"},
        "INT8": {**usual, "precision_mode": "INT8", "use_calibration": "True"},
    }


def test_input_functions_are_generators_of_tuples(old_python: Path) -> None:
    batch = ["tuple", [[8, 48, 48, 3]]]
    assert fact(old_python, "input_functions") == {"two batches": [batch, batch]}


def test_without_tensorrt_the_reason_is_tensorflows_own(old_python: Path) -> None:
    assert fact(old_python, "without_tensorrt") == [
        "unsupported", "Tensorflow has not been built with TensorRT support.",
    ]  # fmt: skip


def test_engines_and_what_lies_outside_are_counted(old_python: Path) -> None:
    assert fact(old_python, "engine_graph") == {
        "operations": {
            "int8": {"Conv2D": 2, "DepthwiseConv2dNative": 1, "TRTEngineOp": 1},
            "float32": {"MatMul": 1},
        },
        "coverage": 0.75,
        "fallback": ["MatMul x1 outside of engines"],
        "source": "1 TRTEngineOp nodes of precision mode INT8, by the graph",
    }
