"""A folder, a tar and a zip of the same files give the same pictures and say the same."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manifests.errors import InputError
from manifests.manifest import Dataset
from orchestrator.datasets import archives, folders, layout, names, pack
from orchestrator.datasets.pack import Source, quiet
from tests.orchestrator.pictures import png

PLAIN = {
    "train/cat/0.png": png(10), "train/cat/1.png": png(60), "train/dog/0.png": png(110),
    "test/cat/0.png": png(20), "test/dog/0.png": png(120),
}  # fmt: skip
Maker = Callable[[Path, dict[str, bytes]], Path]


def as_folder(place: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = place / "pets" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        elif data.startswith(b"-> "):
            path.symlink_to(os.fsdecode(data[3:]))
        elif data.startswith(b"== "):
            os.link(place / "pets" / os.fsdecode(data[3:]), path)
        else:
            path.write_bytes(data)
    return place / "pets"


def as_tar(place: Path, files: dict[str, bytes], top: str = "pets/") -> Path:
    with tarfile.open(place / "pets.tar.gz", "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(top + name)
            if name.endswith("/"):
                member.type = tarfile.DIRTYPE
            elif data.startswith(b"-> "):
                member.type, member.linkname = tarfile.SYMTYPE, os.fsdecode(data[3:])
            elif data.startswith(b"== "):
                member.type, member.linkname = tarfile.LNKTYPE, top + os.fsdecode(data[3:])
            else:
                member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return place / "pets.tar.gz"


def as_zip(place: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(place / "pets.zip", "w") as archive:
        for name, data in files.items():
            item = zipfile.ZipInfo(f"pets/{name}")
            if data.startswith(b"== "):  # zip has no hard links: the content comes twice
                data = files[os.fsdecode(data[3:])]
            if data.startswith(b"-> "):
                item.external_attr = (stat.S_IFLNK | 0o777) << 16
                data = data[3:]
            archive.writestr(item, data)
    return place / "pets.zip"


EVERY = pytest.mark.parametrize("make", [as_folder, as_tar, as_zip])


def source(path: Path, cache: Path | None = None) -> Source:
    make = archives.source if path.is_file() else folders.source
    return make(path, "pets", cache=cache)


def packed(path: Path, cache: Path) -> Dataset:
    return pack.read_meta(pack.prepare(source(path), 4, cache, quiet))


def shades(path: Path, split: str = "train") -> list[int]:
    return [int(shade) for shade in source(path).load(4, quiet)[split].images[:, 0, 0, 0]]


@EVERY
@pytest.mark.parametrize(
    ("more", "counted"),
    [
        ({"train/cat/.ipynb_checkpoints/0-checkpoint.png": png(1)}, {layout.HIDDEN: 1}),
        ({"train/__pycache__/load.cpython-311.pyc": b""}, {layout.HIDDEN: 1}),
        ({"train/.ipynb_checkpoints/0.png": b"", "test/.ipynb_checkpoints/0.png": b""},
         {layout.HIDDEN: 2}),
        ({"train/cat/._0.png": b"Mac OS X", "train/.DS_Store": b"Bud1"}, {layout.HIDDEN: 2}),
        ({"train/cat/Thumbs.db": b"", "test/dog/desktop.ini": b"", "__MACOSX/x": b""},
         {layout.HIDDEN: 3}),
        ({"train/cat/notes.txt": b"", "train/dog/0.avif": b"", "train/dog/LABEL": b""},
         {"not an image (.txt)": 1, "not an image (.avif)": 1, "not an image (no suffix)": 1}),
        ({"train/zebra/": b"", "test/zebra/": b""}, {layout.EMPTY: 2}),
        ({"train/lost.png": png(1)}, {layout.UNCLASSED: 1}),
        ({"read.me": b"", "validation/cat/0.png": png(1)},
         {"beside the splits (read.me)": 1, "beside the splits (validation/)": 1}),
        ({"train/cat/up": b"-> ..", "train/cat/own": b"-> ."}, {layout.LOOP: 2}),
        ({"train/cat/away": b"-> nowhere"}, {layout.NOWHERE: 1}),
    ],
)  # fmt: skip
def test_what_is_passed_over_is_counted_alike(
    tmp_path: Path, make: Maker, more: dict[str, bytes], counted: dict[str, int]
) -> None:
    path = make(tmp_path, {**PLAIN, **more})
    assert packed(path, tmp_path / "cache").passed_over == counted
    assert shades(path) == [10, 60, 110]
    assert source(path).classes == ["cat", "dog"]


@EVERY
def test_pictures_of_every_listed_suffix_count_and_deeper_ones_too(
    tmp_path: Path, make: Maker
) -> None:
    more = {f"train/dog/a{suffix.upper()}": png(200) for suffix in names.SUFFIXES}
    more["train/dog/images/deep/0.png"] = png(210)
    path = make(tmp_path, {**PLAIN, **more})
    assert sorted(shades(path)) == [10, 60, 110, *[200] * len(names.SUFFIXES), 210]
    assert source(path).passed_over == {}


@EVERY
def test_a_picture_with_several_names_counts_under_each(tmp_path: Path, make: Maker) -> None:
    more = {"train/dog/same.png": b"== train/dog/0.png", "train/dog/to.png": b"-> ../dog/0.png"}
    path = make(tmp_path, {**PLAIN, **more})
    assert shades(path) == [10, 60, 110, 110, 110]


@EVERY
def test_a_linked_class_folder_is_read(tmp_path: Path, make: Maker) -> None:
    more = {"train/wolf": b"-> dog", "test/wolf": b"-> ../test/dog"}
    path = make(tmp_path, {**PLAIN, **more})
    assert source(path).classes == ["cat", "dog", "wolf"]
    assert shades(path) == [10, 60, 110, 110]


@EVERY
def test_folders_that_link_to_one_another_are_read_once(tmp_path: Path, make: Maker) -> None:
    more = {f"train/cat/{a}/{b}": f"-> ../{b}".encode() for a in "abcdefgh" for b in "abcdefgh"}
    path = make(tmp_path, {**PLAIN, **more, "train/cat/a/0.png": png(70)})
    assert shades(path) == [10, 60, 70, 110]


@EVERY
@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({**PLAIN, "train/cat/9.png": b"-> 9.png"}, r"train/cat/9\.png can't be read as an image"),
        ({**PLAIN, "train/cat/9.png": b"-> no.png"}, r"train/cat/9\.png can't be read as an image"),
        ({**PLAIN, "train/ape/x.txt": b"", "test/ape/x.txt": b""},
         r"/ape has no images \(it holds \.txt\); accepted: \.jpg"),
        ({**PLAIN, "test/ape/0.png": png(1)}, r"only in train: none; only in test: ape"),
        ({n: data for n, data in PLAIN.items() if "dog" not in n}, r"1 class folder \(cat\)"),
        ({**PLAIN, "train/caf\u00e9/0.png": png(1), "train/cafe\u0301/0.png": png(1)},
         r"two folders whose name is 'caf\u00e9'"),
        ({f"{top}/{name}": data for top in ("a", "b") for name, data in PLAIN.items()},
         r"holds several data sets \(\S*a/, \S*b/\); give one of them"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_refused_alike(
    tmp_path: Path, make: Maker, files: dict[str, bytes], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        source(make(tmp_path, files))


@EVERY
def test_names_that_differ_only_in_their_characters_codes_are_one_class(
    tmp_path: Path, make: Maker
) -> None:
    changed = {"train/cat": "train/cafe\u0301", "test/cat": "test/caf\u00e9"}
    files = {
        name.replace(name[:-6], changed.get(name[:-6], name[:-6])): data
        for name, data in PLAIN.items()
    }
    assert source(make(tmp_path, files)).classes == ["caf\u00e9", "dog"]


@pytest.mark.parametrize("make", [as_folder, as_tar])
def test_a_name_that_is_not_utf_8_is_written_out(tmp_path: Path, make: Maker) -> None:
    files = {name.replace("cat", "caf\udce9"): data for name, data in PLAIN.items()}
    assert packed(make(tmp_path, files), tmp_path / "cache").classes == ["caf\\xe9", "dog"]


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_the_splits_may_lie_deeper(tmp_path: Path, depth: int) -> None:
    files = {"/".join([*"abc"[:depth], name]): data for name, data in PLAIN.items()}
    assert shades(as_folder(tmp_path, files)) == [10, 60, 110]


def test_a_class_may_be_called_like_a_split(tmp_path: Path) -> None:
    files = {name.replace("/cat/", "/train/"): data for name, data in PLAIN.items()}
    assert source(as_tar(tmp_path, files)).classes == ["dog", "train"]


def test_of_a_name_that_comes_twice_the_last_counts_as_when_unpacked(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "pets.tar", "w") as archive:
        for name, data in [*PLAIN.items(), ("train/cat/0.png", png(33))]:
            member = tarfile.TarInfo(f"./pets//{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    path = tmp_path / "pets.tar"
    assert shades(path) == [33, 60, 110]
    assert source(path).passed_over == {archives.TWICE: 1}


def test_a_hard_link_keeps_the_content_that_its_name_had(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "pets.tar", "w") as archive:
        for name, data in PLAIN.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
        link = tarfile.TarInfo("train/cat/2.png")
        link.type, link.linkname = tarfile.LNKTYPE, "train/cat/0.png"
        archive.addfile(link)
        later = tarfile.TarInfo("train/cat/0.png")
        later.size = len(png(33))
        archive.addfile(later, io.BytesIO(png(33)))
    assert shades(tmp_path / "pets.tar") == [33, 60, 10, 110]


def test_names_that_lead_out_of_an_archive_are_passed_over(tmp_path: Path) -> None:
    path = as_tar(tmp_path, {**PLAIN, "../../train/cat/5.png": png(1)})
    assert source(path).passed_over == {archives.UNSAFE: 1}
    path = as_tar(tmp_path, {**PLAIN, "train/cat/5.png": b"-> /etc/passwd"})
    with pytest.raises(InputError, match=r"train/cat/5\.png can't be read as an image"):
        source(path)


def test_an_archive_from_windows_with_backslashes_is_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "pets.zip", "w") as archive:
        for name, data in PLAIN.items():
            item = zipfile.ZipInfo("x")
            item.filename = name.replace("/", "\\")
            archive.writestr(item, data)
    assert shades(tmp_path / "pets.zip") == [10, 60, 110]


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    path = as_folder(tmp_path, PLAIN)
    os.mkfifo(path / "train" / "cat" / "pipe.png")
    assert source(path).passed_over == {layout.SPECIAL: 1}


def test_folders_and_archives_of_the_same_pictures_hold_the_same(tmp_path: Path) -> None:
    splits = [packed(make(tmp_path, PLAIN), tmp_path / make.__name__).splits
              for make in (as_folder, as_tar, as_zip)]  # fmt: skip
    assert splits[0] == splits[1] == splits[2]
    assert np.asarray(Image.open(io.BytesIO(png(10))))[0, 0, 0] == 10
