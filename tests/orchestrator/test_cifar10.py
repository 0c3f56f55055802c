"""The official archive of CIFAR-10, read without trust; a tiny one stands in for it."""

from __future__ import annotations

import io
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.errors import InputError, MachineError
from orchestrator.datasets import catalogue, cifar10, pack
from orchestrator.datasets.pack import quiet
from tests.orchestrator.cifar10_batches import NAMES, batch, batches
from tests.orchestrator.pictures import packed


class Hostile:
    """Pickled, it asks the reader to run a command."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return os.system, (f"touch {self.mark}",)


def archive(folder: Path, files: dict[str, bytes]) -> Path:
    """An archive in the official layout; returns its folder."""
    folder.mkdir(exist_ok=True)
    with tarfile.open(folder / cifar10.ARCHIVE, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"{cifar10.FOLDER}/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return folder


def load(folder: Path, cache: Path) -> Path:
    return pack.prepare(catalogue.source("cifar10", folder, cache), 32, cache, quiet)


def test_an_archive_in_the_official_layout_is_read(tmp_path: Path) -> None:
    folder = load(archive(tmp_path / "given", batches()), tmp_path)
    images = np.load(folder / "train_images.npy")
    assert (images.shape, images.dtype) == ((15, 32, 32, 3), np.uint8)
    assert images[3, 0, 0].tolist() == [10, 0, 255]
    assert np.load(folder / "train_labels.npy").tolist() == [
        0, 1, 2, 1, 1, 2, 2, 1, 2, 3, 1, 2, 4, 1, 2,
    ]  # fmt: skip
    assert np.load(folder / "test_labels.npy").tolist() == [5, 1, 2]
    assert pack.read_meta(folder).classes[3] == "cat"


def test_what_was_unpacked_from_it_is_read_as_well(tmp_path: Path) -> None:
    unpacked = tmp_path / "given" / cifar10.FOLDER
    unpacked.mkdir(parents=True)
    for name, data in batches().items():
        (unpacked / name).write_bytes(data)
    assert pack.read_meta(load(tmp_path / "given", tmp_path)).splits["train"].count == 15


def test_another_archive_is_packed_anew(tmp_path: Path) -> None:
    one = load(archive(tmp_path / "one", batches()), tmp_path / "cache")
    other = archive(tmp_path / "other", {**batches(), "test_batch": pickle.dumps(batch(9), 2)})
    os.utime(other / cifar10.ARCHIVE, (1, 1))
    assert load(other, tmp_path / "cache") != one


def test_a_pickle_that_would_run_a_command_is_refused_and_does_not(tmp_path: Path) -> None:
    mark = tmp_path / "it-ran"
    files = {**batches(), "data_batch_2": pickle.dumps(Hostile(mark))}
    with pytest.raises(
        InputError, match=r"data_batch_2 can't be read: refused to load \w+\.system"
    ):
        load(archive(tmp_path / "given", files), tmp_path)
    assert not mark.exists()


@given(st.binary(max_size=60))
def test_any_bytes_in_place_of_a_batch_are_refused(data: bytes) -> None:
    with pytest.raises(InputError, match="the CIFAR-10 file data_batch_1 can't be read"):
        cifar10._batch(lambda name: data, "data_batch_1")


@pytest.mark.parametrize(
    "content",
    [
        [1, 2],
        {},
        {b"data": b"x", b"labels": [1]},
        {b"data": np.zeros((2, 3072), np.uint8), b"labels": [1]},
        {b"data": np.zeros((1, 3072), np.uint8), b"labels": [10]},
        {b"data": np.zeros((1, 3072), np.uint8), b"labels": [300]},
        {b"data": np.zeros((1, 3072), np.uint8), b"labels": ["cat"]},
        {b"data": np.zeros((1, 3000), np.uint8), b"labels": [1]},
    ],
)
def test_a_batch_that_holds_something_else_is_refused(content: object) -> None:
    with pytest.raises(InputError, match="the CIFAR-10 file test_batch can't be read"):
        cifar10._batch(lambda name: pickle.dumps(content, 2), "test_batch")


def _pixels(**changes: Any) -> dict[Any, Any]:
    return {b"data": np.zeros((2, 3072), np.uint8), b"labels": [1, 2], **changes}


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (_pixels() | {b"data": np.linspace(0, 1, 6144, dtype=np.float32).reshape(2, 3072)},
         r"data is float32 of shape \(2, 3072\), 0 to 1; accepted is uint8 of shape \(count"),
        (_pixels() | {b"data": np.zeros((2, 32, 32, 3), np.uint8)}, r"shape \(2, 32, 32, 3\)"),
        (_pixels() | {b"data": np.full((2, 3072), 300, np.int64)}, r"data is int64 .* 300 to 300"),
        (_pixels() | {b"data": [[0] * 3072] * 2}, r"data is a list"),
        (_pixels() | {b"labels": [1, 10]}, r"labels go from 1 to 10; accepted are 0 to 9"),
        (_pixels() | {b"labels": [-1, 0]}, r"labels go from -1 to 0"),
        (_pixels() | {b"labels": [0.0, 1.0]}, r"labels are float64 of shape \(2,\)"),
        ({b"data": 1, b"fine_labels": 2}, r"data is a int"),
        ({b"pixels": 1, b"fine_labels": 2}, r"its keys are fine_labels, pixels; accepted are data"),
        ([1], r"it holds a list; accepted is a dictionary"),
    ],
)  # fmt: skip
def test_a_batch_says_what_was_found_and_what_is_accepted(content: object, found: str) -> None:
    with pytest.raises(InputError, match=rf"file test_batch can't be read: .*{found}"):
        cifar10._batch(lambda name: pickle.dumps(content, 2), "test_batch")


def test_keys_may_be_text_as_python_3_writes_them(tmp_path: Path) -> None:
    texts = {
        name: pickle.dumps({key.decode(): value for key, value in batch(i).items()}, 2)
        for i, name in enumerate(NAMES)
    }
    one, other = (
        load(archive(tmp_path / "a", texts), tmp_path),
        load(archive(tmp_path / "b", batches()), tmp_path),
    )
    assert pack.read_meta(one).splits == pack.read_meta(other).splits


def test_an_archive_that_was_packed_from_inside_is_read(tmp_path: Path) -> None:
    folder = archive(tmp_path / "given", batches())
    with tarfile.open(folder / cifar10.ARCHIVE, "w:gz") as tar:
        for name, data in batches().items():
            member = tarfile.TarInfo(f"./{cifar10.FOLDER}/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    assert pack.read_meta(load(folder, tmp_path)).splits["train"].count == 15


def _damaged(folder: Path, how: str) -> None:
    path = folder / cifar10.ARCHIVE
    data = bytearray(path.read_bytes())
    if how == "cut":
        data = data[: len(data) // 2]
    elif how == "flipped":
        middle = len(data) // 2
        data[middle : middle + 40] = b"\xff" * 40
    else:
        data = bytearray(b"not an archive at all")
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("how", ["cut", "flipped", "something else"])
def test_a_damaged_archive_is_refused(tmp_path: Path, how: str) -> None:
    folder = archive(tmp_path / "given", batches())
    _damaged(folder, how)
    with pytest.raises(InputError, match=r"cifar-10-python|the CIFAR-10 file"):
        load(folder, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("data/*"))


def test_an_archive_that_lacks_a_batch_names_it(tmp_path: Path) -> None:
    files = batches()
    del files["data_batch_4"]
    with pytest.raises(InputError, match="data_batch_4"):
        load(archive(tmp_path / "given", files), tmp_path)


def test_another_image_size_is_resized_to(tmp_path: Path) -> None:
    given = archive(tmp_path / "given", batches())
    folder = pack.prepare(catalogue.source("cifar10", given, tmp_path), 48, tmp_path, quiet)
    images = np.load(folder / "train_images.npy")
    assert (images.shape, images.dtype) == ((15, 48, 48, 3), np.uint8)
    assert images[3, 0, 0].tolist() == [10, 0, 255]
    assert len(np.load(folder / "train_labels.npy")) == 15


def test_without_a_network_the_next_step_is_told_and_nothing_looks_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(cifar10, "URL", f"http://127.0.0.1:9/{cifar10.ARCHIVE}")
    with pytest.raises(MachineError, match="cifar10 can't be fetched") as failed:
        packed(cifar10.source(tmp_path), 32, tmp_path)
    assert failed.value.exit_code == 3
    assert "into a folder and give it with --data-dir, or use the embedded set with" in (
        str(failed.value)
    )
    assert [path for path in tmp_path.rglob("[!.]*") if path.is_file()] == []
    assert catalogue.download_bytes("cifar10", None, tmp_path) == 170_498_071


def test_a_download_with_another_hash_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = archive(tmp_path / "given", batches())
    monkeypatch.setattr(cifar10, "URL", (folder / cifar10.ARCHIVE).as_uri())
    with pytest.raises(MachineError, match="cifar10 can't be fetched"):
        packed(cifar10.source(tmp_path / "cache"), 32, tmp_path / "cache")
    assert not (tmp_path / "cache" / "downloads" / cifar10.ARCHIVE).exists()


def test_a_pack_of_a_given_archive_does_not_save_the_download(tmp_path: Path) -> None:
    folder = archive(tmp_path / "given", batches())
    load(folder, tmp_path)
    assert catalogue.download_bytes("cifar10", folder, tmp_path) == 0
    assert catalogue.download_bytes("cifar10", None, tmp_path) == 170_498_071
    assert catalogue.download_bytes("digits", None, tmp_path) == 0


def test_the_download_of_cats_vs_dogs_is_told_beforehand_until_it_is_there(tmp_path: Path) -> None:
    assert catalogue.download_bytes("cats_vs_dogs", None, tmp_path) == 68_606_236
    archive_file = tmp_path / "downloads" / "cats_and_dogs_filtered.zip"
    archive_file.parent.mkdir()
    archive_file.write_bytes(b"")
    assert catalogue.download_bytes("cats_vs_dogs", None, tmp_path) == 0
    assert catalogue.download_bytes("cats_vs_dogs", tmp_path, tmp_path) == 0
