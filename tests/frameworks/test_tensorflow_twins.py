"""What TensorFlow's cells on a GPU do, as far as a processor shows it, in 2.8 and a current one."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestrator.datasets.pack import prepare
from orchestrator.datasets.sets import digits
from tests.conftest import ROOT

pytestmark = pytest.mark.frameworks


@pytest.fixture(scope="session")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(digits.source(), 32, tmp_path_factory.mktemp("pack"), lambda what, n, of: None)


@pytest.fixture(
    scope="session",
    params=["tensorflow-22.03", pytest.param("tensorflow-cpu", marks=pytest.mark.thorough)],
)
def python(request: pytest.FixtureRequest, images: dict[str, Path]) -> Path:
    return images[request.param]


def fact(python: Path, pack: Path, *asked: str, **variables: str) -> Any:
    done = subprocess.run(
        [python, "-m", "tests.frameworks.tensorflow_twins", pack, *asked], cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", **variables},
        capture_output=True, text=True, timeout=1200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_rigorous_float16_steps_all_apply_or_are_flagged(python: Path, pack: Path) -> None:
    """Keras' scale begins far above what the initial weights bear: the first steps are skipped.

    VGG16 and ResNet50 are left to GPUs: without float16 instructions they take minutes.
    """
    found = fact(python, pack, "scaled_training", "mobilenet-v1", "rigorous")
    (applied,) = found["applied"]
    assert found["steps"] == 8 and applied >= 6
    # What else runs on the machine is flagged too.
    skipped = [flag[0] for flag in found["flags"] if flag[0] == "skipped-steps"]
    assert skipped == (["skipped-steps"] if applied < 8 else [])
    assert found["phases"].index("warm-up") < found["phases"].index("train")
    assert 1 <= found["scale"] <= 32768


@pytest.mark.thorough
def test_as_published_skipped_steps_are_counted_and_flagged(python: Path, pack: Path) -> None:
    found = fact(python, pack, "scaled_training", "resnet50", "as-published")
    (applied,) = found["applied"]
    assert applied < found["steps"] == 8 and "warm-up" not in found["phases"]
    ((name, detail),) = (flag for flag in found["flags"] if flag[0] == "skipped-steps")
    assert name == "skipped-steps"
    assert detail.startswith(f"{8 - applied} of 8 timed steps were skipped by loss scaling")


def test_rigorous_cells_forbid_tf32_and_published_ones_leave_it(python: Path, pack: Path) -> None:
    assert fact(python, pack, "tf32", NVIDIA_TF32_OVERRIDE="1") == {
        "float32 rigorous": [False, "0"],
        "float32 as-published": [True, "1"],
        "tf32 rigorous": [True, None],
        "keras-call rigorous on a processor": [True, "1"],
        "tf32 on Turing": "TF32 begins with compute capability 8.0, and this GPU has 7.5",
    }


def test_the_proof_says_where_float32_may_be_tf32(python: Path, pack: Path) -> None:
    found = fact(python, pack, "tf32_proofs")
    assert found["off"] == [1.0, [], "by the graph; TF32 off"]
    assert found["Turing"] == [1.0, [], "by the graph; the GPU has no TF32"]
    assert found["on"] == [
        None, ["Conv2D x3 in float32 or TF32"],
        "by the graph; TF32 on, and the graph doesn't tell which kernels used it",
    ]  # fmt: skip
    assert found["float16 on"][0] == 0.5


def test_native_segments_are_forbidden_or_reach_the_log(python: Path, pack: Path) -> None:
    assert fact(python, pack, "tensorrt_variables") == {
        "rigorous": ["False", "1"], "as-published": [None, "1"], "loud": [None, "0"],
        "keras-call": [None, "2"],
    }  # fmt: skip


def test_a_gpus_memory_is_recorded_for_every_way_of_calling(python: Path, pack: Path) -> None:
    assert fact(python, pack, "memory") == {
        technique: ["allocator", "allocator warm-up"]
        for technique in ("keras-predict", "keras-call", "signature", "xla", "tf32")
    }
