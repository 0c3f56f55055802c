"""Real pictures, where they are present beside the project or under REPLIQUANT_TEST_DATA."""

from __future__ import annotations

import collections
import os
import tarfile
from pathlib import Path

import pytest

from tests.frameworks.conftest import ROOT, Reproduction, smallest_study

PLACES = (os.environ.get("REPLIQUANT_TEST_DATA", ""), str(ROOT.parent / "shared" / "data"))
ARCHIVE = next(
    (
        Path(p) / "cifar10-jpeg.tar.xz"
        for p in PLACES
        if (Path(p) / "cifar10-jpeg.tar.xz").is_file()
    ),
    None,
)
EACH = 30
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.real_data,
    pytest.mark.skipif(ARCHIVE is None, reason="no cifar10-jpeg.tar.xz; set REPLIQUANT_TEST_DATA"),
]


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``EACH`` pictures of every class and split, as a folder of class folders."""
    folder = tmp_path_factory.mktemp("pictures") / "cifar10-jpeg"
    taken: collections.Counter[str] = collections.Counter()
    assert ARCHIVE is not None
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            parent = str(Path(member.name).parent)
            if member.isfile() and taken[parent] < EACH:
                taken[parent] += 1
                archive.extract(member, folder, filter="data")
    return folder


def test_a_baseline_and_its_int8_model_on_real_pictures(
    images: dict[str, Path], pictures: Path, tmp_path: Path
) -> None:
    made = Reproduction(tmp_path)
    smallest_study(tmp_path)
    made("run", "lad2023", "--data-dir", str(pictures), "-k", "task!=infer and (ptq or float32)")
    made.run = type(made.run)(tmp_path / "runs" / "lad2023-quick-cifar10-jpeg")
    for framework, technique in (("pytorch", "ptq-eager"), ("tensorflow", "ptq-tflite")):
        manifest = made.one(framework, "quantize", technique)
        dataset = manifest.inputs.dataset
        assert manifest.status == "ok" and dataset is not None
        assert dataset.name == "cifar10-jpeg" and dataset.classes[0] == "airplane"
        assert dataset.splits["test"].count == dataset.used["test"] == 10 * EACH
