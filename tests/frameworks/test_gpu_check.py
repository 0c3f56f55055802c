"""``gpu-check`` with an interpreter of one's own, really run; on a processor, its smaller plan."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from manifests.run_folder import Run
from tests.frameworks.conftest import ROOT, Reproduction

pytestmark = pytest.mark.frameworks

LADDER = ["float32", "amp-bfloat16", "keras-predict", "keras-call", "signature", "xla"]


def test_every_part_leaves_a_manifest_with_telemetry(
    images: dict[str, Path], tmp_path: Path
) -> None:
    """In TensorFlow 2.8; PyTorch's plan is run by an interpreter that has no more than torch."""
    made = Reproduction(tmp_path)
    folder = tmp_path / "check"
    done = made(
        "gpu-check", "--device", "cpu", "--python", str(images["tensorflow-22.03"]), "--run",
        str(folder), "--json",
    )  # fmt: skip
    cells = json.loads(done.stdout)["cells"]
    assert [cell["technique"] for cell in cells] == LADDER
    (refused,) = [cell for cell in cells if cell["status"] != "ok"]
    assert refused["technique"] == "amp-bfloat16"
    assert "No OpKernel was registered" in refused["reason"]
    verdicts = {verdict["verdict"] for verdict in json.loads(done.stdout)["verdicts"]}
    assert verdicts <= {"as expected", "not checked"}
    assert {cell["coverage"] for cell in cells if cell["status"] == "ok"} == {1.0}
    assert json.loads((folder / "summary.json").read_text())["cells"] == cells
    for manifest in Run(folder).load().manifests:
        assert manifest.telemetry is not None and manifest.telemetry.samples > 0
        assert manifest.context is not None and manifest.context.image.kind == "given"


def claiming_a_gpu(folder: Path, python: Path) -> Path:
    """The interpreter, except that its TensorFlow says that it sees a GPU."""
    path = folder / "python"
    said = '{"python": "3", "modules": {"tensorflow": "2"}, "gpus": ["/physical_device:GPU:0"]}'
    path.write_text(
        f"#!/bin/sh\ncase \"$2\" in *'import tensorflow'*) echo 'FOUND {said}';;\n"
        f'*) exec "{python}" "$@";;\nesac\n'
    )
    path.chmod(0o755)
    return path


def test_on_a_gpu_that_tensorflow_does_not_see_every_cell_says_so(
    images: dict[str, Path], tmp_path: Path
) -> None:
    python = claiming_a_gpu(tmp_path, images["tensorflow-22.03"])
    done = Reproduction(tmp_path)("gpu-check", "--python", str(python), "--json", status=3)
    cells = json.loads(done.stdout)["cells"]
    assert {cell["status"] for cell in cells} == {"unsupported"} and len(cells) == 16
    told = {cell["reason"] for cell in cells if cell["task"] == "train"}
    assert told == {"TensorFlow sees no GPU: no NVIDIA GPU, no driver, or a CPU build"}


def test_a_tensorflow_without_keras_2_is_told_what_is_missing(
    images: dict[str, Path], tmp_path: Path
) -> None:
    (tmp_path / "tf_keras").mkdir()
    (tmp_path / "tf_keras/__init__.py").write_text("raise ImportError('No module named tf_keras')")
    ask = (
        "from runners.failures import Unsupported\n"
        "from runners.tensorflow.parts import setup\n"
        "try: setup.begin(None)\n"
        "except Unsupported as refusal: print(refusal)\n"
    )
    done = subprocess.run(
        [images["tensorflow-cpu"], "-c", ask], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
    )  # fmt: skip
    assert done.stdout == "TensorFlow 2.21.0 without Keras 2; install tf_keras beside it\n"
