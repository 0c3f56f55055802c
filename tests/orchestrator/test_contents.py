"""The content decides which pack is used, and costs nothing where nothing changed."""

from __future__ import annotations

import os
import pickle
import shutil
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manifests.errors import InputError
from orchestrator.datasets import catalogue, contents, pack
from orchestrator.datasets.contents import Contents
from orchestrator.datasets.pack import Source, quiet
from tests.orchestrator.cifar10_batches import batch, batches
from tests.orchestrator.pictures import pictures


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that were just written are remembered too, or nothing would be."""
    monkeypatch.setattr(contents, "_SETTLED_NS", -(10**12))


def folder(place: Path, shade: int) -> Path:
    """BMPs of one size, all times set to 0, as reproducible archives and builds leave them."""
    shutil.rmtree(place / "pets", ignore_errors=True)
    root = pictures(place / "pets")
    for path in root.rglob("*.png"):
        bmp = path.with_suffix(".bmp")
        Image.fromarray(np.full((8, 8, 3), shade + len(path.parent.name), np.uint8)).save(bmp)
        path.unlink()
        os.utime(bmp, (0, 0))
    return root


def tarred(place: Path, shade: int) -> Path:
    """One archive whose size and times are always the same."""
    path = place / "pets.tar"
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as made:
        made.add(folder(place, shade), "pets")
    os.utime(path, (0, 0))
    return path


def cifar(place: Path, shade: int) -> Path:
    """The folder that the official archive unpacks to; its own time is always the same."""
    files = {**batches(), "test_batch": pickle.dumps(batch(shade // 10), protocol=2)}
    inside = place / "own" / "cifar-10-batches-py"
    inside.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (inside / name).write_bytes(data)
    for path in (*inside.iterdir(), inside):
        os.utime(path, (0, 0))
    return place / "own"


def source(path: Path, cache: Path) -> Source:
    name = "cifar10-local" if path.name == "own" else "pets"
    return catalogue.source(name, path, cache)


def packed_pixels(path: Path, cache: Path) -> bytes:
    return (pack.prepare(source(path, cache), 32, cache, quiet) / "test_images.npy").read_bytes()


@pytest.mark.parametrize("make", [folder, tarred, cifar])
def test_other_pixels_of_the_same_names_sizes_and_times_are_packed_anew(
    tmp_path: Path, make: Callable[[Path, int], Path]
) -> None:
    before = packed_pixels(make(tmp_path, 10), tmp_path / "cache")
    after = packed_pixels(make(tmp_path, 90), tmp_path / "cache")
    assert before != after
    assert packed_pixels(make(tmp_path, 10), tmp_path / "cache") == before


@pytest.mark.parametrize("make", [folder, tarred, cifar])
def test_a_pixel_changed_in_place_is_noticed(
    tmp_path: Path, make: Callable[[Path, int], Path]
) -> None:
    path = make(tmp_path, 10)
    before = packed_pixels(path, tmp_path / "cache")
    time.sleep(0.02)  # a tick of the file system's clock
    for file in [path] if path.is_file() else list(path.rglob("*[!.]*")):
        if file.is_file():
            data = file.read_bytes()
            with open(file, "r+b") as opened:
                opened.write(data.replace(bytes([13]) * 60, bytes([99]) * 60).replace(
                    bytes([10]) * 60, bytes([98]) * 60))  # fmt: skip
            os.utime(file, (0, 0))
    assert packed_pixels(path, tmp_path / "cache") != before


@pytest.mark.parametrize("make", [folder, tarred, cifar])
def test_where_nothing_changed_nothing_is_read(
    tmp_path: Path, make: Callable[[Path, int], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path, 10)
    for _ in range(2):  # the second time, what was made is looked at once
        made = pack.prepare(source(path, tmp_path), 32, tmp_path, quiet)
    again = source(path, tmp_path)._replace(load=lambda size, progress: pytest.fail("decoded"))
    monkeypatch.setattr(contents.hashlib, "file_digest", lambda *a: pytest.fail("hashed"))
    assert pack.known_pack(again, 32, tmp_path) == made
    assert pack.prepare(again, 32, tmp_path, quiet) == made


@pytest.mark.parametrize("make", [folder, tarred, cifar])
def test_planning_reads_no_images(tmp_path: Path, make: Callable[[Path, int], Path]) -> None:
    assert pack.known_pack(source(make(tmp_path, 10), tmp_path), 32, tmp_path) is None


@pytest.mark.parametrize("file", ["train_images.npy", "test_labels.npy", "meta.json", "files.json"])
@pytest.mark.parametrize("how", ["truncated", "changed", "removed", "grown"])
def test_a_damaged_pack_is_made_again(tmp_path: Path, file: str, how: str) -> None:
    data = source(folder(tmp_path, 10), tmp_path)
    made = pack.prepare(data, 32, tmp_path, quiet)
    content = {path.name: path.read_bytes() for path in made.iterdir()}
    damaged = bytearray(content[file])
    damaged[-3] ^= 1
    (made / file).write_bytes(
        {"truncated": content[file][:-7], "grown": content[file] + b"x"}.get(how, bytes(damaged))
    )
    if how == "removed":
        (made / file).unlink()
    assert pack.prepare(data, 32, tmp_path, quiet) == made
    assert {path.name: path.read_bytes() for path in made.iterdir()} == content


def test_a_file_that_has_just_changed_is_not_remembered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contents, "_SETTLED_NS", 2_000_000_000)
    path = tmp_path / "a"
    path.write_bytes(b"1")
    memory = Contents(tmp_path / "cache", "a")
    memory.sha256(path)
    assert memory.known(path) is None


def test_a_damaged_memory_is_no_memory(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"1")
    memory = Contents(tmp_path, "a")
    digest = memory.sha256(path)
    memory.keep()
    assert Contents(tmp_path, "a").known(path) == digest
    (kept,) = (tmp_path / "contents").iterdir()
    kept.write_bytes(b"\xc1")
    assert Contents(tmp_path, "a").known(path) is None
    assert Contents(tmp_path, "a").sha256(path) == digest


def test_pictures_that_change_while_they_are_read_are_refused(tmp_path: Path) -> None:
    root = pictures(tmp_path / "pets")
    data = source(root, tmp_path)

    def change(what: str, done: int, of: int) -> None:
        if what == "decoding images":
            Image.fromarray(np.full((6, 4, 3), 7, np.uint8)).save(root / "test" / "dog" / "1.png")

    with pytest.raises(InputError, match="changed while they were read"):
        pack.prepare(data, 8, tmp_path, change)
    assert not list(tmp_path.glob("data/*"))
