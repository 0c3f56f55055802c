"""The embedded digits and folders of images: what is packed, and what is refused."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manifests.errors import InputError, MachineError
from orchestrator.datasets import catalogue, folders, pack
from orchestrator.datasets.pack import quiet
from orchestrator.datasets.sets import digits
from tests.orchestrator.pictures import packed, pictures

EXPECTED = r"expected train/<class>/\*\.jpg and test/<class>/\*\.jpg \(or validation/\)"


def test_the_digits_are_what_they_always_were(tmp_path: Path) -> None:
    meta = packed(digits.source(), 8, tmp_path)
    assert meta.classes == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    assert {name: split.count for name, split in meta.splits.items()} == {
        "train": 1438,
        "test": 359,
    }
    assert meta.splits["train"].sha256 == (
        "4b6e2e553f5fe790ceb392e2ec5848390a7902b2c8649772c79ae59a5eb78954"
    )
    assert meta.splits["test"].sha256 == (
        "e10938925db6841093d0d6428b7559fc4a0c42b11a317c25f09f001344bb478f"
    )
    assert meta.image_size == 8


def test_the_digits_are_never_mirrored(tmp_path: Path) -> None:
    assert packed(digits.source(), 8, tmp_path).mirrored is False


def test_the_digits_are_not_made_smaller(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"digits have 8 x 8 pixels and can't be made 4 x 4"):
        packed(digits.source(), 4, tmp_path)


def test_the_digits_are_upsampled_to_three_equal_channels(tmp_path: Path) -> None:
    folder = pack.prepare(digits.source(), 16, tmp_path, quiet)
    images = np.load(folder / "test_images.npy")
    assert (images.shape, images.dtype) == ((359, 16, 16, 3), np.uint8)
    assert (images[..., 0] == images[..., 2]).all()
    assert np.load(folder / "test_labels.npy").shape == (359,)


def test_a_pack_is_made_once(tmp_path: Path) -> None:
    folder = pack.prepare(digits.source(), 8, tmp_path, quiet)
    never = digits.source()._replace(load=lambda size, progress: pytest.fail("decoded again"))
    assert pack.prepare(never, 8, tmp_path, quiet) == folder


def test_runs_side_by_side_make_a_pack_once(tmp_path: Path) -> None:
    decoding, go_on = threading.Event(), threading.Event()
    decoded = []
    load = digits.source().load

    def slowly(size: int, progress: pack.Progress) -> dict[str, pack.Part]:
        decoded.append(size)
        decoding.set()
        go_on.wait(10)
        return load(size, progress)

    source = digits.source()._replace(load=slowly)
    words: list[str] = []

    def listen(what: str, done: int, of: int) -> None:
        words.append(what)
        go_on.set()

    with ThreadPoolExecutor() as pool:
        first = pool.submit(pack.prepare, source, 8, tmp_path, quiet)
        assert decoding.wait(10)
        second = pool.submit(pack.prepare, source, 8, tmp_path, listen)
        assert first.result(20) == second.result(20)
    assert decoded == [8]
    assert words[0].startswith(f"waiting for process {os.getpid()}")


def test_a_pack_without_its_description_is_made_again(tmp_path: Path) -> None:
    folder = pack.prepare(digits.source(), 8, tmp_path, quiet)
    (folder / "meta.json").write_bytes(b'{"name": "dig')
    assert packed(digits.source(), 8, tmp_path).splits["train"].count == 1438


@pytest.mark.parametrize("test", ["test", "validation", "val"])
def test_class_folders_are_read_whatever_the_test_split_is_called(
    tmp_path: Path, test: str
) -> None:
    source = catalogue.source("mine", pictures(tmp_path / "mine", test), tmp_path)
    meta = packed(source, 4, tmp_path)
    assert (meta.name, meta.origin, meta.classes) == (
        "mine",
        "image folders, mine",
        ["cat", "dog"],
    )
    assert {name: split.count for name, split in meta.splits.items()} == {"train": 4, "test": 4}
    assert meta.mean == pytest.approx([0.198039] * 3)


def _emptied(root: Path) -> None:
    for path in sorted(root.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()


def _without(*names: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        for name in names:
            _emptied(root / name)
            (root / name).rmdir()

    return change


def _broken_picture(root: Path) -> None:
    (root / "train" / "cat" / "1.png").write_bytes(b"no picture")


def _cut_picture(root: Path) -> None:
    path = root / "test" / "dog" / "0.png"
    path.write_bytes(path.read_bytes()[:40])


def _looping_picture(root: Path) -> None:
    (root / "train" / "cat" / "loop.png").symlink_to("loop.png")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_emptied, rf"--data-dir \S+/mine holds nothing; {EXPECTED}"),
        (_without("train"), rf"--data-dir \S+/mine holds test; {EXPECTED}"),
        (_without("test"), rf"--data-dir \S+/mine holds train; {EXPECTED}"),
        (
            _without("train/dog", "test/dog"),
            rf"/mine/train has 1 class folder \(cat\) with images; 2 to 256 are needed: {EXPECTED}",
        ),
        (
            _without("test/dog"),
            r"different classes \(only in train: dog; only in test: none\)\. "
            r"Give both the same class folders",
        ),
        (
            lambda root: _emptied(root / "train" / "dog"),
            r"/mine/train/dog has no images \(it holds nothing\); accepted: \.jpg, \.jpeg, \.jpe",
        ),
        (_broken_picture, r"/train/cat/1\.png can't be read as an image \(.*\)\. Repair it or"),
        (_cut_picture, r"/test/dog/0\.png can't be read as an image \(.*\)\. Repair it or"),
        (_looping_picture, r"/train/cat/loop\.png can't be read as an image \(.*\)\. Repair it or"),
    ],
)
def test_a_folder_that_cannot_be_used_is_refused_with_the_place(
    tmp_path: Path, change: Callable[[Path], None], message: str
) -> None:
    root = pictures(tmp_path / "mine")
    change(root)
    with pytest.raises(InputError, match=message):
        packed(folders.source(root, "mine"), 4, tmp_path / "cache")
    assert not list(tmp_path.glob("cache/data/*"))


def test_a_data_dir_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=rf"--data-dir \S+/none is not a folder; {EXPECTED}"):
        folders.source(tmp_path / "none", "none")


def test_links_that_lead_in_a_circle_are_harmless(tmp_path: Path) -> None:
    root = pictures(tmp_path / "mine")
    (root / "train" / "cat" / "up").symlink_to(root)
    (root / "train" / "itself").symlink_to(root / "train" / "itself")
    assert packed(folders.source(root, "mine"), 4, tmp_path).splits["train"].count == 4


def _key(root: Path) -> str | None:
    return folders.source(root, "mine").contents(quiet)


def test_a_changed_folder_is_packed_anew(tmp_path: Path) -> None:
    root = pictures(tmp_path / "mine")
    before = packed(folders.source(root, "mine"), 4, tmp_path)
    Image.fromarray(np.full((9, 9, 3), 250, np.uint8)).save(root / "train" / "cat" / "0.png")
    after = packed(folders.source(root, "mine"), 4, tmp_path)
    assert after.splits["train"].sha256 != before.splits["train"].sha256
    assert after.splits["test"] == before.splits["test"]


def test_a_renamed_class_is_packed_anew(tmp_path: Path) -> None:
    root = pictures(tmp_path / "mine")
    before = _key(root)
    for split in ("train", "test"):
        (root / split / "dog").rename(root / split / "wolf")
    assert _key(root) != before


def test_an_unknown_data_set_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no data set 'digit'\. Did you mean 'digits'\? Accepted"):
        catalogue.source("digit", None, tmp_path)


def test_a_disk_that_is_full_while_packing_leaves_nothing_that_looks_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, array: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(MachineError, match=r"digits can't be stored .*: No space left") as failed:
        pack.prepare(digits.source(), 8, tmp_path, quiet)
    assert "Free some space, or set REPLIQUANT_CACHE to another folder" in str(failed.value)
    assert failed.value.exit_code == 3
    assert list((tmp_path / "data").iterdir()) == []


@pytest.mark.parametrize("name", ["digits", "cifar10", "cifar10-local"])
def test_a_folder_can_not_take_the_name_of_a_known_set(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is the name of a known data set"):
        catalogue.name_of(tmp_path, name, "digits")


def test_an_archive_that_is_not_the_official_one_is_called_local(tmp_path: Path) -> None:
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"something else")
    assert catalogue.name_of(tmp_path, None, "digits") == "cifar10-local"
