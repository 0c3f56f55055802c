"""What plan, run, tables and manifests say of a person's own images."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manifests.codec import read_manifest
from orchestrator.datasets import about
from orchestrator.running.request import Request, prepare
from tests.conftest import Workshop
from tests.orchestrator.pictures import pictures

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]


def scattered(root: Path, size: tuple[int, int] = (20, 16), train: int = 12, test: int = 4) -> Path:
    """Two classes of noise, and a few files that are nobody's."""
    noise = np.random.default_rng(0)
    for split, count in (("train", train), ("test", test)):
        for name in ("cat", "dog"):
            folder = root / split / name
            folder.mkdir(parents=True)
            for number in range(count // 2):
                pixels = noise.integers(0, 256, (size[1], size[0], 3), np.uint8)
                Image.fromarray(pixels).save(folder / f"{number}.png")
    (root / "train" / ".DS_Store").write_bytes(b"")
    (root / "train" / "cat" / "notes.txt").write_bytes(b"")
    return root


def test_the_title_says_what_the_images_are(tmp_path: Path) -> None:
    plan = prepare(Request("lad2023", data_dir=scattered(tmp_path / "pets"))).plan
    assert plan.dataset == "pets"
    assert plan.dataset_title == "pets (16 images, 2 classes, chance 50 %)"
    assert plan.tier_about.startswith("trains on pets at 16 × 16 pixels, long enough to learn")
    assert "chance (50 %)" in plan.tier_about and "digits" not in plan.tier_about
    assert plan.dataset_notes == [
        "pets: the recipe wants 1,280 images to train on and there are 12: all of them are used",
        "pets: the recipe wants 128 images to calibrate with and there are 12: all of them "
        "are used",
        "pets: batches of more than 12 images repeat those of the train split",
        "pets: batches of more than 4 images repeat those of the test split",
        "pets, passed over: 1 hidden and system files, 1 not an image (.txt)",
    ]


def test_the_embedded_digits_are_called_so_and_need_no_notes() -> None:
    plan = prepare(Request("lad2023")).plan
    assert (plan.dataset_title, plan.dataset_notes) == ("", [])
    assert "trains on the embedded digits" in plan.tier_about
    assert "beside chance (10 %)" in plan.tier_about


def test_sets_of_different_classes_name_each_chance(tmp_path: Path) -> None:
    pictures(tmp_path / "cifar10-own", classes=("a", "b", "c"))
    pictures(tmp_path / "cats_vs_dogs-own")
    plan = prepare(Request("shafique2023", data_dir=tmp_path)).plan
    assert plan.dataset_title == (
        "cifar10-own (12 images, 3 classes, chance 33.3 %) + "
        "cats_vs_dogs-own (8 images, 2 classes, chance 50 %)"
    )
    assert "near chance (33.3 % and 50 %)" in plan.tier_about


@pytest.mark.parametrize("tier", ["quick", "short", "paper"])
@pytest.mark.parametrize("study", ["lad2023", "shafique2023"])
def test_no_tier_speaks_of_other_images(tmp_path: Path, study: str, tier: str) -> None:
    plan = prepare(Request(study, tier=tier, data_dir=pictures(tmp_path / "pets"))).plan
    for word in ("digits", "10 %", "{", "50,000"):
        assert word not in plan.tier_about


def test_what_was_done_to_the_images_is_said_once_they_have_been_read(
    workshop: Workshop, tmp_path: Path
) -> None:
    root = scattered(tmp_path / "pets")
    time.sleep(2.1)  # what has just changed is not remembered
    done = workshop.run("--data-dir", str(root))
    notes = [
        "pets: shrunk from 20 × 16 to 8 × 8, stretched to a square",
        "pets, passed over: 1 hidden and system files, 1 not an image (.txt)",
    ]
    said = " ".join(done.stderr.split())
    planned = " ".join(workshop("plan", "toy", "--data-dir", str(root)).stdout.split())
    table = " ".join(workshop("table", "toy", "--format", "md").stdout.split())
    plan = json.loads(workshop("plan", "toy", "--data-dir", str(root), "--json").stdout)["plan"]
    for note in notes:
        assert note in said and note in planned and note in table
    assert plan["dataset_notes"] == notes
    assert "pets (16 images, 2 classes, chance 50 %)" in table
    dataset = read_manifest(workshop.manifests()[0]).inputs.dataset
    assert dataset is not None
    assert dataset.passed_over == {"hidden and system files": 1, "not an image (.txt)": 1}
    assert dataset.resized_from == {"20 x 16": 16}
    shown = " ".join(workshop("show", read_manifest(workshop.manifests()[0]).id).stdout.split())
    assert "1 hidden and system files" in shown and "16 20 x 16" in shown


def test_images_that_teach_nothing_are_said_and_flagged(workshop: Workshop, tmp_path: Path) -> None:
    root = pictures(tmp_path / "grey")
    for path in root.rglob("*.png"):
        Image.new("L", (8, 8), 100).save(path)
    time.sleep(2.1)  # what has just changed is not remembered
    done = workshop.run("--data-dir", str(root))
    why = "the train images differ from one another by 0 of 255 levels"
    assert f"grey: nothing can be learnt: {why}" in " ".join(done.stderr.split())
    for path in workshop.manifests():
        flags = [flag for flag in read_manifest(path).flags if flag.name == "uniform-data"]
        assert [flag.detail.partition(";")[0] for flag in flags] == [why]
    again = " ".join(workshop("plan", "toy", "--data-dir", str(root)).stdout.split())
    assert "grey: nothing can be learnt" in again


@pytest.mark.parametrize(
    ("size", "words"),
    [((20, 20), "shrunk from 20 × 20 to 8 × 8"), ((4, 4), "enlarged from 4 × 4 to 8 × 8"),
     ((20, 4), "resized from 20 × 4 to 8 × 8, stretched to a square"), ((8, 8), "")],
)  # fmt: skip
def test_how_sizes_changed(
    workshop: Workshop, tmp_path: Path, size: tuple[int, int], words: str
) -> None:
    workshop.run("--data-dir", str(scattered(tmp_path / "pets", size)), "-k", "train and alpha")
    (path,) = workshop.manifests()
    dataset = read_manifest(path).inputs.dataset
    assert dataset is not None
    assert about.resized(dataset) == (f"pets: {words}" if words else "")
