"""Real pictures, where they are present beside the project or under REPLIQUANT_TEST_DATA."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.frameworks.conftest import ARCHIVE, EACH, PLACES, Reproduction, smallest_study

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.real_data,
    pytest.mark.skipif(ARCHIVE is None, reason="no cifar10-jpeg.tar.xz; set REPLIQUANT_TEST_DATA"),
]


def test_a_baseline_and_its_int8_model_on_real_pictures(
    images: dict[str, Path], pictures: Path, tmp_path: Path
) -> None:
    made = Reproduction(tmp_path)
    smallest_study(tmp_path)
    made("run", "lad2023", "--engine", "local", "--data-dir", str(pictures),
         "-k", "task!=infer and (ptq or float32)")  # fmt: skip
    made.run = type(made.run)(tmp_path / "runs" / "lad2023-quick-cifar10-jpeg")
    for framework, technique in (("pytorch", "ptq-eager"), ("tensorflow", "ptq-tflite")):
        manifest = made.one(framework, "quantize", technique, image_size=16)
        dataset = manifest.inputs.dataset
        assert manifest.status == "ok" and dataset is not None
        assert dataset.name == "cifar10-jpeg" and dataset.classes[0] == "airplane"
        assert dataset.splits["test"].count == dataset.used["test"] == 10 * EACH


CATS_AND_DOGS = next(
    (
        Path(p) / "cats_vs_dogs-160px.tar"
        for p in PLACES
        if p and (Path(p) / "cats_vs_dogs-160px.tar").is_file()
    ),
    None,
)


@pytest.mark.thorough
@pytest.mark.skipif(CATS_AND_DOGS is None, reason="no cats_vs_dogs-160px.tar")
def test_training_and_int8_of_both_data_sets_each_from_its_own_archive(
    images: dict[str, Path], pictures: Path, tmp_path: Path
) -> None:
    """A folder with one of them as class folders, the other as the archive that it came in."""
    assert CATS_AND_DOGS is not None
    both = tmp_path / "data"
    both.mkdir()
    (both / "cifar10-jpeg").symlink_to(pictures)
    (both / CATS_AND_DOGS.name).symlink_to(CATS_AND_DOGS)
    run = "shafique2023-quick-cifar10-jpeg+cats_vs_dogs-160px"
    made = Reproduction(tmp_path, run)
    smallest_study(tmp_path)
    chosen = "device=cpu and mobilenet-v1 and batch_size=32 and (task!=infer and not amp or ptq)"
    made("run", "shafique2023", "--engine", "local", "--data-dir", str(both), "-k", chosen)

    for name, size, classes in (("cifar10-jpeg", 48, 10), ("cats_vs_dogs-160px", 128, 2)):
        for task, technique in (("train", "float32"), ("quantize", "ptq-tflite")):
            manifest = made.one("tensorflow", task, technique, dataset=name)
            dataset = manifest.inputs.dataset
            assert manifest.status == "ok" and dataset is not None
            assert (dataset.image_size, len(dataset.classes)) == (size, classes)
    cats = made.one("tensorflow", "train", "float32", dataset="cats_vs_dogs-160px").inputs.dataset
    assert cats is not None and cats.classes == ["cats", "dogs"]
    assert {name: split.count for name, split in cats.splits.items()} == {
        "train": 2000, "test": 1000,
    }  # fmt: skip
    for framework, technique, name in (
        ("tensorflow", "ptq-tflite", "cifar10-jpeg"),
        ("tensorflow", "ptq-tflite", "cats_vs_dogs-160px"),
        ("pytorch", "ptq-fx", "cifar10-jpeg"),
    ):
        timed = made.one(framework, "infer", technique, dataset=name)
        assert timed.status == "ok" and timed.metric("latency_s") is not None
    int8 = made.one("pytorch", "quantize", "ptq-fx", dataset="cifar10-jpeg")
    assert int8.status == "ok" and int8.proof is not None and int8.proof.promised == "int8"
    title = made("table", "shafique2023", "--format", "md", "--table", "accuracy-cpu").stdout
    assert "cifar10-jpeg (600 images, 10 classes" in title
    assert "cats\\_vs\\_dogs-160px (3,000 images, 2 classes" in title
    assert " in place of cifar10 and cats\\_vs\\_dogs · " in title
