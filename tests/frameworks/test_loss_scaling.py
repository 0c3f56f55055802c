"""float16 training on a processor: eight timed steps, each of them applied.

ResNet50 is left to GPUs: without float16 instructions its steps alone take two minutes.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestrator.datasets.pack import prepare
from orchestrator.datasets.sets import digits
from tests.frameworks.conftest import ROOT

pytestmark = pytest.mark.frameworks


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    return prepare(digits.source(), 32, cache, lambda what, done, of: None)


def _trained(python: Path, data: Path, folder: Path, model: str, protocol: str) -> dict[str, Any]:
    done = subprocess.run(
        [python, "-m", "tests.frameworks.amp_twin", data, folder, model, protocol],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize(
    "model", [pytest.param("vgg16", marks=pytest.mark.thorough), "mobilenet-v1"]
)
def test_every_timed_step_of_a_rigorous_cell_is_applied(
    images: dict[str, Path], data: Path, tmp_path: Path, model: str
) -> None:
    found = _trained(images["pytorch"], data, tmp_path, model, "rigorous")
    metrics = found["metrics"]
    assert found["phases"].index("warm-up") < found["phases"].index("train")
    assert len(metrics["train_step_s"]) == len(metrics["loss_scale"]) == 8
    assert metrics["applied_steps timed"] == [8]
    assert "skipped-steps" not in found["flags"]
    assert metrics["applied_steps total"][0] > 8


def test_as_published_says_how_many_were_skipped(
    images: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    found = _trained(images["pytorch"], data, tmp_path, "mobilenet-v1", "as-published")
    (applied,) = found["metrics"]["applied_steps timed"]
    assert found["metrics"]["loss_scale"][0] == 65536.0
    assert 0 <= applied < 8
    said = f"{8 - applied} of 8 timed steps were skipped by loss scaling"
    assert found["flags"]["skipped-steps"].startswith(said)
