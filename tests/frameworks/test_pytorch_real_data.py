"""PyTorch's training and int8 inference of shafique2023 on real photographs, where they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.datasets import archives, folders
from orchestrator.datasets.pack import prepare
from tests.frameworks.cells import ADAM, INFER, Bench, digits_bench, ok, proven, samples
from tests.frameworks.conftest import PLACES

CATS_AND_DOGS = next(
    (path for p in PLACES if (path := Path(p) / "cats_vs_dogs-160px.tar").is_file()), None
)
pytestmark = [pytest.mark.frameworks, pytest.mark.real_data]


def trained_and_quantized(bench: Bench, tests: int, limit: int = 0) -> None:
    """A training cell, then both ways to int8 and the inference with each; each tests ``limit``
    images, 0 for all.
    """
    recipe = {**ADAM, "train_images": 64, "test_images": limit, "channels_last": True}
    trained = ok(bench.run(bench.cell("train", "float32", recipe, batch_size=16)))
    losses = samples(trained, "train_loss")
    assert trained.inputs.dataset is not None
    assert trained.inputs.dataset.used == {"train": 64, "test": tests}
    assert 0 < losses[0] < 5
    quantize = {"calibration_images": 32, "test_images": limit}
    for technique in ("ptq-fx", "ptq-pt2e"):
        cell = bench.cell("quantize", technique, quantize, batch_size=16)
        quantized = ok(bench.run(cell, trained))
        manifest = ok(bench.run(bench.cell("infer", technique, INFER), quantized))
        proven(manifest, "int8")
        accuracy = samples(quantized, "accuracy")[0]
        assert accuracy == pytest.approx(samples(trained, "accuracy")[0], abs=0.25)


@pytest.mark.thorough
@pytest.mark.skipif(CATS_AND_DOGS is None, reason="no cats_vs_dogs-160px.tar")
def test_cats_and_dogs(images: dict[str, Path], tmp_path: Path) -> None:
    assert CATS_AND_DOGS is not None
    source = archives.source(CATS_AND_DOGS, "cats_vs_dogs-160px")
    bench = digits_bench(images["pytorch"], tmp_path, size=128)
    data = prepare(source, 128, tmp_path / "cache", lambda what, done, of: None)
    base = {**bench.base, "dataset": "cats_vs_dogs-160px"}
    trained_and_quantized(bench._replace(data=data, base=base), tests=96, limit=96)


@pytest.mark.thorough
@pytest.mark.skipif(
    not any((Path(p) / "cifar10-jpeg.tar.xz").is_file() for p in PLACES),
    reason="no cifar10-jpeg.tar.xz",
)
def test_cifar10(
    images: dict[str, Path],
    pictures: Path,
    tmp_path: Path,
) -> None:
    source = folders.source(pictures, "cifar10-jpeg")
    bench = digits_bench(images["pytorch"], tmp_path)
    data = prepare(source, 48, tmp_path / "cache", lambda what, done, of: None)
    base = {**bench.base, "dataset": "cifar10-jpeg"}
    trained_and_quantized(bench._replace(data=data, base=base), tests=300)
