"""Archives of class folders: read in place, and refused when they are something else."""

from __future__ import annotations

import io
import random
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from manifests.errors import InputError
from orchestrator.datasets import archives, cats_vs_dogs, decoder, pack
from orchestrator.datasets.pack import quiet
from tests.orchestrator.pictures import FILES, zipped


def tar(path: Path, files: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def made(folder: Path, suffix: str, files: dict[str, bytes] = FILES) -> Path:
    path = folder / f"pets{suffix}"
    if suffix == ".zip":
        return zipped(path, files)
    return tar(path, files, {".tar": "w", ".tar.xz": "w:xz", ".tar.gz": "w:gz"}[suffix])


@pytest.mark.parametrize("suffix", [".zip", ".tar", ".tar.gz", ".tar.xz"])
def test_pictures_are_read_without_unpacking(tmp_path: Path, suffix: str) -> None:
    path = made(tmp_path, suffix)
    source = archives.source(path, archives.name_of(path))
    folder = pack.prepare(source, 8, tmp_path / "cache", quiet)
    meta = pack.read_meta(folder)
    assert (meta.name, meta.classes) == ("pets", ["cat", "dog"])
    assert {name: split.count for name, split in meta.splits.items()} == {"train": 3, "test": 2}
    assert np.load(folder / "train_images.npy")[:, 0, 0, 0].tolist() == [1, 2, 101]
    assert np.load(folder / "test_labels.npy").tolist() == [0, 1]


def test_the_order_inside_the_archive_changes_nothing(tmp_path: Path) -> None:
    names = list(FILES)
    random.Random(1).shuffle(names)
    shuffled = tar(tmp_path / "shuffled.tar", {name: FILES[name] for name in names}, "w")
    plain = tar(tmp_path / "plain.tar", FILES, "w")
    first, second = (
        pack.read_meta(pack.prepare(archives.source(path, path.stem), 8, tmp_path, quiet))
        for path in (plain, shuffled)
    )
    assert first.splits == second.splits


@pytest.mark.parametrize(
    ("leave_out", "message"),
    [
        ("validation", r"pets\.zip holds top/read\.me, top/train; expected train/<class>"),
        ("validation/dog", r"different classes \(only in train: dog; only in validation: none\)"),
        ("dog", r"pets\.zip/train has 1 class folder \(cat\) with images; 2 to 256 are needed"),
        ("top", r"pets\.zip holds nothing; expected"),
    ],
)
def test_another_layout_is_refused(tmp_path: Path, leave_out: str, message: str) -> None:
    files = {name: data for name, data in FILES.items() if leave_out not in name}
    with pytest.raises(InputError, match=message):
        archives.source(zipped(tmp_path / "pets.zip", files), "pets")


def test_a_file_that_is_no_picture_is_told_by_its_name(tmp_path: Path) -> None:
    path = zipped(tmp_path / "pets.zip", {**FILES, "top/train/cat/2.png": b"words"})
    with pytest.raises(InputError, match=r"pets\.zip: top/train/cat/2\.png can't be read as an"):
        archives.source(path, "pets").load(8, quiet)


def test_a_giant_member_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "LARGEST_PICTURE", 50)
    path = zipped(tmp_path / "pets.zip", FILES)
    with pytest.raises(InputError, match="a picture may have 64 MiB"):
        archives.source(path, "pets").load(8, quiet)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_archive_is_refused_and_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = made(folder, data.draw(st.sampled_from([".zip", ".tar", ".tar.gz", ".tar.xz"])))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content[: data.draw(st.integers(1, len(content)))])
    try:
        parts = archives.source(path, "pets").load(8, quiet)
    except InputError:
        return
    assert all(part.images.shape[1:] == (8, 8, 3) for part in parts.values())


def test_an_archive_counts_as_the_papers_set_by_size_and_pictures_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = zipped(tmp_path / cats_vs_dogs.ARCHIVE, FILES)
    assert not cats_vs_dogs.is_official(path)
    monkeypatch.setattr(cats_vs_dogs, "SIZE_BYTES", path.stat().st_size)
    assert not cats_vs_dogs.is_official(path)
    monkeypatch.setattr(cats_vs_dogs, "COUNTS", {"train": 3, "test": 2})
    assert cats_vs_dogs.is_official(path)
    assert not cats_vs_dogs.is_official(path.rename(tmp_path / "other.zip"))
