"""Data sets found by file name, ours and those of a folder on REPLIQUANT_PATH."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from manifests.errors import InputError
from orchestrator.datasets import catalogue, sets
from orchestrator.datasets.pack import prepare, quiet

STRIPES = '''\
"""Black and white stripes, upright and lying."""

import numpy as np

from orchestrator.datasets.downloads import Remote
from orchestrator.datasets.pack import Part, Source

PHRASE = "black and white stripes"


def source(cache, place=None, name="stripes"):
    return Source(name=name, origin="drawn", classes=["upright", "lying"], key="stripes-1",
                  load=load)


def remote():
    return Remote(what="stripes", url="https://example.org/stripes.zip", otherwise="draw them",
                  size_bytes=1234)


def recognises(place):
    return (place / "stripes.txt").is_file()


def load(size, progress):
    upright = np.zeros((size, size, 3), np.uint8)
    upright[:, ::2] = 255
    images = np.stack([upright, upright.transpose(1, 0, 2)] * 4)
    part = Part(images, np.array([0, 1] * 4, np.uint8))
    return {"train": part, "test": part}
'''


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder ``datasets`` of one on REPLIQUANT_PATH."""
    folder = tmp_path / "extension" / "datasets"
    folder.mkdir(parents=True)
    monkeypatch.setenv("REPLIQUANT_PATH", str(folder.parent))
    return folder


def test_the_data_sets_are_the_files() -> None:
    files = [path.stem for path in Path(sets.__file__).parent.glob("[!_]*.py")]
    assert sorted(name.replace("-", "_") for name in sets.names()) == sorted(files)
    assert {one.name: one.phrase for one in sets.data_sets()} == {
        "cats_vs_dogs": "cats_vs_dogs", "cifar10": "cifar10",
        "digit-captions": "captions made from the embedded digits",
        "digits": "the embedded digits", "flickr8k": "flickr8k",
    }  # fmt: skip


def test_a_file_from_outside_is_a_data_set(datasets: Path, tmp_path: Path) -> None:
    (datasets / "stripes.py").write_text(STRIPES)
    assert sets.names()[-1] == "stripes"
    assert sets.data_set("stripes").phrase == "black and white stripes"
    pack = prepare(catalogue.source("stripes", None, tmp_path), 8, tmp_path, quiet)
    images = np.load(pack / "test_images.npy")
    assert images.shape == (8, 8, 8, 3) and images[0, 0, :2, 0].tolist() == [255, 0]
    assert catalogue.download_bytes("stripes", None, tmp_path / "empty") == 1234
    assert catalogue.download_bytes("stripes", datasets, tmp_path) == 0


def test_one_from_outside_recognises_a_folder(datasets: Path, tmp_path: Path) -> None:
    (datasets / "stripes.py").write_text(STRIPES)
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "stripes.txt").write_text("")
    choice = catalogue.choose(["cifar10"], tmp_path / "given", None, "digits")
    assert choice.name_of("cifar10") == "stripes"
    assert catalogue.source("stripes", tmp_path / "given", tmp_path).origin == "drawn"


def test_a_folder_of_pictures_can_not_take_a_name_from_outside(
    datasets: Path, tmp_path: Path
) -> None:
    (datasets / "stripes.py").write_text(STRIPES)
    (tmp_path / "stripes").mkdir()
    with pytest.raises(InputError, match="'stripes' is the name of a known data set"):
        catalogue.name_of(tmp_path / "stripes", None, "digits")


def test_one_that_is_there_twice_is_refused(datasets: Path) -> None:
    (datasets / "digits.py").write_text(STRIPES)
    with pytest.raises(InputError, match="there are two of the data set 'digits': "):
        sets.data_set("digits")


@pytest.mark.parametrize(("text", "says"), [
    ("import numpy\n\nx = 1 / 0\n", "line 3: ZeroDivisionError: division by zero"),
    ("def source(:\n", "line 1: invalid syntax"),
    ("NAME = 'torn'\n", "is not a data set: it has no function source(cache, place, name). "),
])  # fmt: skip
def test_a_broken_file_says_where_and_harms_no_other(
    datasets: Path, tmp_path: Path, text: str, says: str
) -> None:
    (datasets / "torn.py").write_text(text)
    with pytest.raises(InputError) as refused:
        sets.data_set("torn")
    assert says in str(refused.value) and str(datasets / "torn.py") in str(refused.value)
    assert [one.name for one in sets.data_sets()] == [
        "cats_vs_dogs", "cifar10", "digit-captions", "digits", "flickr8k",
    ]  # fmt: skip
    assert catalogue.source("digits", None, tmp_path).name == "digits"


def test_an_unknown_one_names_the_nearest(datasets: Path, tmp_path: Path) -> None:
    (datasets / "stripes.py").write_text(STRIPES)
    with pytest.raises(InputError) as refused:
        catalogue.source("stripe", None, tmp_path)
    assert str(refused.value) == (
        "no data set 'stripe'. Did you mean 'stripes'? Accepted: cats_vs_dogs, cifar10, "
        "digit-captions, digits, flickr8k, stripes, or images with --data-dir"
    )
