"""When an image is out of date, and what is sent to build it."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.errors import InputError
from orchestrator.engines.docker import build_context, builds
from orchestrator.environments.images import Image, load_image
from tests.conftest import ROOT
from tests.fakes.studies import write_image


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose code can be changed."""
    for package in ("manifests", "runners"):
        (tmp_path / "project" / package / "parts").mkdir(parents=True)
        (tmp_path / "project" / package / "__init__.py").write_text("")
        (tmp_path / "project" / package / "parts" / "a.py").write_text("a = 1\n")
    monkeypatch.setattr(build_context, "ROOT", tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def small(tmp_path: Path, code: Path) -> Image:
    folder = write_image(tmp_path, "small", "numpy==2.0.0\n")
    (folder / "Dockerfile").write_text("ARG BASE=python:3.11\nFROM $BASE\n")
    return load_image("small", tmp_path / "images")


def written(image: Image, code: Path, path: str, text: str) -> None:
    folder = image.folder if "/" not in path else code
    (folder / path).parent.mkdir(exist_ok=True)
    (folder / path).write_text(text)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("requirements.txt", "numpy==2.0.1\n"),
        ("requirements.txt", "numpy==2.0.0"),
        ("container-requirements.txt", "msgspec==0.19.0\n"),
        ("Dockerfile", "ARG BASE=python:3.12\nFROM $BASE\n"),
        ("Dockerfile", "# a comment\nARG BASE=python:3.11\nFROM $BASE\n"),
        ("runners/parts/a.py", "a = 2\n"),
        ("manifests/__init__.py", "# a comment\n"),
        ("runners/new.py", ""),
        ("runners/parts/b.py", "a = 1\n"),
    ],
)
def test_the_lock_the_dockerfile_and_the_code_make_an_image_another_one(
    small: Image, code: Path, path: str, text: str
) -> None:
    before = build_context.image_key(small)
    written(small, code, path, text)
    assert build_context.image_key(small) != before


def test_moved_and_deleted_code_make_an_image_another_one(small: Image, code: Path) -> None:
    keys = {build_context.image_key(small)}
    (code / "runners" / "parts" / "a.py").rename(code / "runners" / "a.py")
    keys.add(build_context.image_key(small))
    (code / "runners" / "a.py").unlink()
    keys.add(build_context.image_key(small))
    assert len(keys) == 3


def _touch_everything(small: Image, code: Path) -> None:
    for path in [*small.folder.rglob("*"), *code.rglob("*")]:
        os.utime(path, (1, 1))
        path.chmod(0o777)


UNTOLD: dict[str, Callable[[Image, Path], object]] = {
    "image.toml": lambda small, _: (small.folder / "image.toml").write_text("name = 'other'"),
    "verify.py": lambda small, _: small.verify.write_text("raise SystemExit(1)"),
    "a file beside": lambda small, _: (small.folder / "notes.md").write_text("notes"),
    "resolver's input": lambda small, _: (small.folder / "requirements.in").write_text("numpy"),
    "compiled code": lambda _, code: (code / "runners" / "a.pyc").write_bytes(b"\0"),
    "no code": lambda _, code: (code / "manifests" / "schema.json").write_text("{}"),
    "other code": lambda _, code: (code / "tables.py").write_text("a = 1"),
    "times and modes": _touch_everything,
}


@pytest.mark.parametrize("change", UNTOLD.values(), ids=UNTOLD)
def test_nothing_else_does(
    small: Image, code: Path, change: Callable[[Image, Path], object]
) -> None:
    before = build_context.image_key(small)
    change(small, code)
    assert build_context.image_key(small) == before


def test_the_key_is_in_the_name_of_the_image(small: Image) -> None:
    assert builds.tag(small) == f"repliquant/small:{build_context.image_key(small)[:12]}"


def test_an_image_without_a_dockerfile_says_what_to_do(small: Image) -> None:
    small.dockerfile.unlink()
    with pytest.raises(InputError, match=r"Dockerfile can't be read .* Use --engine local"):
        build_context.image_key(small)


def packed(small: Image, tmp_path: Path) -> bytes:
    wheels, spool = tmp_path / "wheels", tmp_path / "spool"
    for folder in (wheels, spool):
        folder.mkdir(exist_ok=True)
    (wheels / "numpy-2.0.0-cp311.whl").write_bytes(b"a wheel")
    with build_context.build_context(small, wheels, spool) as file:
        data = file.read()
    assert list(spool.iterdir()) == [], "nothing is left of it"
    return data


def test_the_context_has_the_layout_of_the_project(
    small: Image, code: Path, tmp_path: Path
) -> None:
    (code / "runners" / "__pycache__").mkdir()
    (code / "runners" / "__pycache__" / "a.pyc").write_bytes(b"\0")
    (small.folder / "__pycache__").mkdir()
    (small.folder / "__pycache__" / "verify.pyc").write_bytes(b"\0")
    (tmp_path / "context.tar").write_bytes(packed(small, tmp_path))
    with tarfile.open(tmp_path / "context.tar") as archive:
        found = {entry.name: entry for entry in archive}
        content = archive.extractfile("images/small/requirements.txt")
        assert content is not None and content.read() == b"numpy==2.0.0\n"
    assert sorted(found) == [
        "images/small/Dockerfile",
        "images/small/image.toml",
        "images/small/requirements.txt",
        "images/small/verify.py",
        "manifests/__init__.py",
        "manifests/parts/a.py",
        "runners/__init__.py",
        "runners/parts/a.py",
        "wheels/numpy-2.0.0-cp311.whl",
    ]
    assert {(e.uid, e.gid, e.mtime, e.mode) for e in found.values()} == {(0, 0, 0, 0o644)}


@pytest.fixture
def outside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder ``runners`` of the second of two folders on REPLIQUANT_PATH."""
    (tmp_path / "empty").mkdir()
    folder = tmp_path / "extension" / "runners"
    (folder / "mine").mkdir(parents=True)
    (folder / "mine" / "go.py").write_text("def infer(job): pass\n")
    (tmp_path / "extension" / "datasets").mkdir()
    (tmp_path / "extension" / "datasets" / "x.py").write_text("")
    monkeypatch.setenv("REPLIQUANT_PATH", f"{tmp_path / 'empty'}:{folder.parent}")
    return folder


def test_code_from_outside_goes_into_the_image_with_where_it_is_found(
    small: Image, code: Path, outside: Path, tmp_path: Path
) -> None:
    (tmp_path / "context.tar").write_bytes(packed(small, tmp_path))
    with tarfile.open(tmp_path / "context.tar") as archive:
        names = archive.getnames()
        file = archive.extractfile("images/small/Dockerfile")
        assert file is not None
        text = file.read().decode()
    assert [name for name in names if "extension" in name] == ["extensions/0/runners/mine/go.py"]
    assert text.endswith(
        "\nCOPY extensions /opt/repliquant/extensions\n"
        "ENV REPLIQUANT_PATH=/opt/repliquant/extensions/0\n"
    )


def test_code_from_outside_makes_an_image_another_one(
    small: Image, code: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [build_context.image_key(small)]
    (outside / "mine" / "go.py").write_text("def infer(job): return\n")
    keys.append(build_context.image_key(small))
    (outside.parent / "datasets" / "x.py").write_text("changed = True\n")
    assert build_context.image_key(small) == keys[-1], "only runners are in an image"
    monkeypatch.delenv("REPLIQUANT_PATH")
    keys.append(build_context.image_key(small))
    assert len(set(keys)) == 3


def test_the_same_content_is_the_same_context(small: Image, code: Path, tmp_path: Path) -> None:
    """Or the daemon would build every layer anew."""
    before = packed(small, tmp_path)
    _touch_everything(small, code)
    assert packed(small, tmp_path) == before
    written(small, code, "runners/parts/a.py", "a = 2\n")
    assert packed(small, tmp_path) != before


def test_the_projects_own_code_is_all_in_it() -> None:
    names = [name for name, _ in build_context.code_files()]
    assert {"runners/container_init.py", "runners/pytorch/float32.py", "manifests/cell.py"} <= set(
        names
    )
    assert names == sorted(names) and len(names) == len(set(names))
    assert all((ROOT / name).is_file() for name in names)
