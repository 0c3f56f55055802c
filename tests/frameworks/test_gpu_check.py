"""``gpu-check`` with an interpreter of one's own, really run; on a processor, its smaller plan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from manifests.store import Run
from tests.frameworks.conftest import Reproduction

pytestmark = pytest.mark.frameworks


def test_every_part_leaves_a_manifest_with_telemetry(
    images: dict[str, Path], tmp_path: Path
) -> None:
    made = Reproduction(tmp_path)
    folder = tmp_path / "check"
    done = made(
        "gpu-check", "--device", "cpu", "--python", str(images["pytorch-cpu"]),
        "--run", str(folder), "--json",
    )  # fmt: skip
    cells = json.loads(done.stdout)["cells"]
    assert [cell["status"] for cell in cells] == ["ok"] * 6
    assert {cell["coverage"] for cell in cells} == {1.0}
    assert json.loads((folder / "summary.json").read_text())["cells"] == cells
    for manifest in Run(folder).load().manifests:
        assert manifest.telemetry is not None and manifest.telemetry.samples > 0
        assert manifest.context is not None and manifest.context.image.kind == "given"
