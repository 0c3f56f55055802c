"""Time and memory by operation, from each framework's own profiler."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.manifest import Manifest
from tests.frameworks.cells import INFER, digits_bench, ok

pytestmark = pytest.mark.frameworks

# ResNet18, 8 pictures of 16 x 16: what 20 convolutions put out in float32, five in each stage.
CONVOLUTIONS = sum(
    5 * 8 * channels * side**2 * 4 for channels, side in ((64, 16), (128, 8), (256, 4), (512, 2))
)
ADDITIONS = CONVOLUTIONS * 2 // 5
LOGITS = 8 * 10 * 4


def memory(cell: Manifest) -> dict[str, object]:
    return {one.label: one.samples[0] for one in cell.labelled("op_memory_bytes")}


def test_pytorch_says_which_operators_take_memory(images: dict[str, Path], tmp_path: Path) -> None:
    bench = digits_bench(images["pytorch"], tmp_path, "resnet18", 16)
    cell = ok(bench.run(bench.cell("infer", "float32", {**INFER, "profile_calls": 2})))
    found = memory(cell)
    assert found["aten::conv2d"] == CONVOLUTIONS
    assert found["aten::add"] == ADDITIONS
    assert found["aten::linear"] == LOGITS
    assert {one.label for one in cell.labelled("op_time_s")} > {"aten::mkldnn_convolution"}


def test_tensorflow_says_which_operations_take_memory(
    images: dict[str, Path], tmp_path: Path
) -> None:
    bench = digits_bench(images["tensorflow"], tmp_path, "resnet18", 16)
    cell = ok(bench.run(bench.cell("infer", "profiled", {"calls": 2}, framework="tensorflow")))
    found = memory(cell)
    assert found["_FusedConv2D"] == CONVOLUTIONS
    assert found["_FusedMatMul"] == LOGITS
    assert {one.label for one in cell.labelled("op_time_s")} > {"_FusedConv2D"}
