"""Flickr8k from a folder: both forms of its captions, its splits, and what is passed over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manifests.errors import InputError
from orchestrator.datasets import catalogue, sets
from orchestrator.datasets.pack import prepare, quiet, read_meta
from runners.captions.words import network_of, references
from runners.data import Data


def pictures(folder: Path, count: int = 16) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        Image.new("RGB", (30 + number, 20), (number * 9, 40, 200)).save(folder / f"{number:02}.jpg")


@pytest.fixture
def kaggle(tmp_path: Path) -> Path:
    """Images/ and captions.txt, two captions a picture, and some that lead nowhere."""
    place = tmp_path / "flickr"
    pictures(place / "Images")
    lines = ["image,caption"]
    for number in range(15):
        lines += [f'{number:02}.jpg,"A dog, number {number} , runs ."', f"{number:02}.jpg,A dog"]
    (place / "captions.txt").write_text("\n".join([*lines, "gone.jpg,A cat", "no caption here"]))
    return place


def test_images_and_captions_are_recognised(kaggle: Path, tmp_path: Path) -> None:
    choice = catalogue.choose(["x"], kaggle, None, "digits")
    assert choice.name_of("x") == "flickr8k" and sets.data_set("flickr8k").captions
    source = catalogue.source("flickr8k", kaggle, tmp_path)
    assert source.counts == {"train": 14, "test": 1}
    assert source.passed_over == {
        "captions of pictures that are not there": 1, "lines that are no caption": 1,
        "pictures without a caption": 1,
    }  # fmt: skip


def test_its_captions_lie_in_the_pack(kaggle: Path, tmp_path: Path) -> None:
    pack = prepare(catalogue.source("flickr8k", kaggle, tmp_path), 24, tmp_path, quiet)
    meta, data = read_meta(pack), Data(pack)
    assert meta.classes == ["<pad>", "<start>", "<end>", "<unknown>", "a", "dog", "number", "runs"]
    assert references(data.labels("test"), meta.classes) == [
        ["a dog number <unknown> runs"], ["a dog"],
    ]  # fmt: skip
    assert data.test().images.shape == (1, 24, 24, 3)
    assert network_of(data).length == 21
    assert not np.array_equal(data.train(0, 0).images[0], data.train(0, 0).images[1])


def test_the_tokens_file_and_its_lists_are_read(tmp_path: Path) -> None:
    place = tmp_path / "flickr"
    pictures(place / "Flicker8k_Dataset", 4)
    text = place / "Flickr8k_text"
    text.mkdir()
    lines = [f"{number:02}.jpg#{of}\tA child {of} ." for number in range(4) for of in range(2)]
    (text / "Flickr8k.token.txt").write_text("\n".join(lines))
    (text / "Flickr_8k.trainImages.txt").write_text("02.jpg\n00.jpg\n")
    (text / "Flickr_8k.testImages.txt").write_text("01.jpg\n")
    source = catalogue.source("flickr8k", place, tmp_path)
    assert source.counts == {"train": 2, "test": 1}
    assert source.passed_over == {"pictures in neither list": 1}


def test_without_a_folder_nothing_is_fetched(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no publisher states a digest of Flickr8k"):
        catalogue.source("flickr8k", None, tmp_path)


def test_captions_of_no_picture_are_refused(tmp_path: Path) -> None:
    place = tmp_path / "flickr"
    pictures(place / "Images", 1)
    (place / "captions.txt").write_text("image,caption\nother.jpg,A cat\n")
    with pytest.raises(InputError, match="no caption of a picture for the train split"):
        catalogue.source("flickr8k", place, tmp_path)
