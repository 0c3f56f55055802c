"""The GPU's paths, as far as they can be followed without one: tests/frameworks/gpu_twins.py."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.frameworks.cells import ADAM, digits_bench
from tests.frameworks.conftest import ROOT

pytestmark = pytest.mark.frameworks


def test_every_twin_passes(images: dict[str, Path], tmp_path: Path) -> None:
    bench = digits_bench(images["pytorch"], tmp_path)
    trained = bench.run(bench.cell("train", "float32", {**ADAM, "train_images": 8}))
    assert trained.status == "ok", trained.error
    done = subprocess.run(
        [
            images["pytorch"], "-m", "tests.frameworks.gpu_twins", bench.data,
            tmp_path / trained.id, tmp_path,
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("passed: ") == 23
