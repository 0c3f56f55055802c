"""Archives out of containers: what may come out of them, and what must not."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from manifests.errors import MachineError
from orchestrator.engines.docker import archives
from tests.orchestrator.containers.tar_archives import (
    OURS,
    archive,
    cut,
    entry,
    files,
    tree,
    unpacked,
)

CHARACTERS = st.characters(blacklist_categories=["Cs"], blacklist_characters="/\0")
NAMES = st.text(CHARACTERS, min_size=1, max_size=12).filter(lambda name: name not in (".", ".."))
TREES = st.dictionaries(
    st.lists(NAMES, min_size=1, max_size=3).map("/".join), st.binary(max_size=2000), max_size=6
)


@given(contents=TREES, chunk=st.integers(1, 4096))
def test_what_a_cell_left_comes_out_as_it_was(contents: dict[str, bytes], chunk: int) -> None:
    parts = [name.split("/") for name in contents]
    within = {"/".join(p[:n]) for p in parts for n in range(1, len(p))}
    assume(not within & set(contents))
    assume(not any(p[0] in (*OURS, "manifest.json") for p in parts))
    data = archive(*((entry(f"cell/{name}"), content) for name, content in contents.items()))
    assert unpacked(data, chunk) == contents


def test_what_is_packed_comes_out_again(tmp_path: Path) -> None:
    (tmp_path / "pack" / "train").mkdir(parents=True)
    (tmp_path / "pack" / "train" / "x.npy").write_bytes(b"pixels")
    (tmp_path / "pack" / "meta.json").write_bytes(b"{}")
    (tmp_path / "pack" / "meta.json").chmod(0o600)
    with archives.packed(tmp_path / "pack", "fill", (65532, 65532)) as file:
        data = file.read()
    assert unpacked(data) == {"train/x.npy": b"pixels", "meta.json": b"{}"}
    with tarfile.open(fileobj=io.BytesIO(data)) as made:
        assert {(e.uid, e.gid) for e in made} == {(65532, 65532)}
        assert made.getmember("fill/meta.json").mode & 0o777 == 0o644
        assert made.getmember("fill").mode & 0o555 == 0o555


def test_one_file_is_an_archive_with_one_readable_file() -> None:
    with tarfile.open(fileobj=io.BytesIO(archives.one_file("stop.json", b"{}"))) as made:
        (found,) = made.getmembers()
        assert (found.name, found.mode, found.size) == ("stop.json", 0o644, 2)


@pytest.mark.parametrize(
    "name",
    [
        "cell/../evil", "cell/../../evil", "cell/a/../../../evil", "cell/a/../b", "../cell/../evil",
        "/cell/evil", "/etc/evil", "//etc/evil", "/", "", ".", "..", "cell", "cell/", "cell/.",
        "cell/..", *(f"cell/{own}" for own in OURS),
        *(f"cell/./{own}" for own in OURS), *(f"cell//{own}" for own in OURS),
        *(f"cell/{own}/x" for own in OURS), "cell/manifest.json/x",
    ],
)  # fmt: skip
def test_a_name_that_must_not_be_written_is_left_out(name: str) -> None:
    data = archive((entry(name), b"evil"), (entry("cell/good"), b"good"))
    assert unpacked(data) == {"good": b"good"}


def test_a_name_with_a_null_byte_is_left_out() -> None:
    """Only extended headers can hold one."""
    info = entry("cell/a")
    info.pax_headers = {"path": "cell/a\0b"}
    assert unpacked(archive((info, b"evil"), (entry("cell/good"), b"good"))) == {"good": b"good"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["/etc", "../..", "good", "/etc/passwd", "cell/good"])
def test_links_are_left_out_and_so_is_what_would_go_through_them(kind: bytes, target: str) -> None:
    data = archive(
        (entry("cell/good"), b"good"),
        (entry("cell/link", kind, linkname=target), b""),
        (entry("cell/link/evil"), b"stays inside"),
    )
    assert unpacked(data) == {"good": b"good", "link/evil": b"stays inside"}


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_what_is_neither_file_nor_folder_is_left_out(kind: bytes) -> None:
    strange = entry("cell/device", kind, devmajor=1, devminor=3)
    assert unpacked(archive((strange, b""), (entry("cell/good"), b"good"))) == {"good": b"good"}


@pytest.mark.parametrize("name", ["manifest.json", *OURS])
@pytest.mark.parametrize("kind", [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.FIFOTYPE])
def test_nothing_takes_the_place_of_a_file_that_is_read_afterwards(name: str, kind: bytes) -> None:
    data = archive((entry(f"cell/{name}", kind, linkname="/etc/passwd"), b""))
    assert unpacked(data) == {}


def test_files_get_ordinary_modes_and_our_owner(tmp_path: Path) -> None:
    data = archive((entry("cell/tool", mode=0o6777, uid=7, gid=7), b"#!"))
    archives.unpack_results([data], tmp_path)
    status = (tmp_path / "tool").stat()
    assert status.st_mode & 0o7111 == 0
    assert (status.st_uid, status.st_gid) == (os.getuid(), os.getgid())


def test_the_orchestrators_own_files_stay_as_they_are(tmp_path: Path) -> None:
    for name in OURS:
        (tmp_path / name).write_text("ours")
    data = archive(*((entry(f"cell/{name}"), b"theirs") for name in OURS))
    archives.unpack_results([data], tmp_path)
    assert tree(tmp_path) == dict.fromkeys(OURS, b"ours")


def test_the_manifest_is_written_when_everything_else_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands first in the archive, and twice: the last one counts."""
    written: list[list[str]] = []

    def write(path: Path, data: bytes) -> None:
        written.append(sorted(p.name for p in path.parent.iterdir()))
        path.write_bytes(data)

    monkeypatch.setattr(archives, "write_atomically", write)
    data = archive(
        (entry("cell/manifest.json"), b"1"),
        (entry("cell/weights.bin"), b"w"),
        (entry("cell/manifest.json"), b"2"),
    )
    archives.unpack_results([data], tmp_path)
    assert written == [["weights.bin"]]
    assert (tmp_path / "manifest.json").read_bytes() == b"2"


WHOLE = files(**{"weights.bin": b"w" * 3000, "manifest.json": b"{}", "log.txt": b"l" * 100})


@pytest.mark.parametrize("kept", [*range(0, len(WHOLE) - 8704, 256), 512, 1024, 5000])
def test_an_archive_that_is_cut_off_leaves_no_manifest(tmp_path: Path, kept: int) -> None:
    with pytest.raises(MachineError, match=r"the container's results can't be read: "):
        archives.unpack_results([WHOLE[:kept]], tmp_path)
    assert not (tmp_path / "manifest.json").exists()


def test_an_archive_whose_sender_goes_away_leaves_no_manifest(tmp_path: Path) -> None:
    def chunks() -> Iterable[bytes]:
        yield WHOLE[:4000]
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        archives.unpack_results(chunks(), tmp_path)
    assert tree(tmp_path) == {}


def test_a_compressed_archive_is_none_it_could_hold_anything(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="can't be read"):
        archives.unpack_results([gzip.compress(WHOLE)], tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ["cell/a", "cell/a/b"],
        ["cell/a/b", "cell/a"],
        ["cell/" + "n" * 300],
        ["cell/" + "deep/" * 900 + "x"],
    ],
    ids=["file under a file", "file for a folder", "long name", "long path"],
)
def test_names_that_cannot_be_are_told(tmp_path: Path, names: list[str]) -> None:
    data = archive(*((entry(name), b"x") for name in names))
    with pytest.raises(MachineError, match=r"the container's results can't be kept: "):
        archives.unpack_results([data], tmp_path)


def test_too_many_files_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "_MOST_FILES", 3)
    archives.unpack_results([files(a=b"", b=b"")], tmp_path)
    with pytest.raises(MachineError, match="the container left more than 3 files"):
        archives.unpack_results([files(a=b"", b=b"", c=b"")], tmp_path)


@pytest.mark.parametrize("limit", ["_MOST_BYTES", "_MOST_MANIFEST_BYTES"])
def test_too_much_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(archives, limit, 2 << 20)
    large = files(**{"manifest.json": bytes((2 << 20) + 1)})
    with pytest.raises(MachineError, match="the container left more than 2 MiB"):
        archives.unpack_results(cut(large, 1 << 16), tmp_path)
    assert tree(tmp_path) == {}


def test_a_file_of_holes_counts_with_its_whole_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some kilobytes of archive would become as many gigabytes as it says."""
    monkeypatch.setattr(archives, "_MOST_BYTES", 1 << 20)
    info = entry("cell/holes")
    info.pax_headers = {
        "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "cell/holes",
        "GNU.sparse.realsize": str(1 << 40),
    }  # fmt: skip
    with pytest.raises(MachineError, match="more than 1 MiB"):
        archives.unpack_results([archive((info, b"0\n".ljust(512, b"\0")))], tmp_path)


@given(
    changes=st.lists(
        st.tuples(st.integers(0, len(WHOLE) - 8704), st.binary(min_size=1, max_size=40)),
        min_size=1, max_size=4,
    )
)  # fmt: skip
@example(changes=[(1024, b"\xff" * 12)])
def test_a_damaged_archive_is_told_or_harmless(changes: list[tuple[int, bytes]]) -> None:
    data = bytearray(WHOLE)
    for place, content in changes:
        data[place : place + len(content)] = content
    try:
        found = unpacked(bytes(data))
    except MachineError:
        return
    assert None not in found.values()
    assert not set(found) & set(OURS)


HEADERS = st.dictionaries(
    st.sampled_from(
        ["path", "size", "mtime", "linkpath", "GNU.sparse.map", "GNU.sparse.size",
         "GNU.sparse.major", "GNU.sparse.realsize", "GNU.sparse.name", "hdrcharset"]
    ),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20),
    min_size=1, max_size=4,
)  # fmt: skip


@given(headers=HEADERS)
@example(headers={"path": "../../../evil"})
@example(headers={"path": "/tmp/evil"})
@example(headers={"GNU.sparse.map": "0,9,oh"})
@example(headers={"GNU.sparse.major": "1", "GNU.sparse.realsize": "-5"})
@example(headers={"size": "-1"})
@example(headers={"mtime": "never"})
@example(headers={"hdrcharset": "BINARY", "path": "cell/\udcff"})
def test_odd_extended_headers_are_told_or_harmless(headers: dict[str, str]) -> None:
    info = entry("cell/odd")
    info.pax_headers = dict(headers)
    try:
        found = unpacked(archive((info, b"content")))
    except MachineError:
        return
    except UnicodeEncodeError:
        assume(False)  # not a header that can be written
    assert None not in found.values()
