"""What REPLIQUANT_PATH adds, and that it takes nothing away."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from manifests import paths
from manifests.errors import InputError


@pytest.fixture
def roots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two folders on REPLIQUANT_PATH, and a REPLIQUANT_STUDIES with the study ``own``."""
    found = [tmp_path / "a", tmp_path / "b"]
    for folder in found:
        folder.mkdir()
    monkeypatch.setenv("REPLIQUANT_PATH", f"{found[0]}{os.pathsep}{found[1]}")
    monkeypatch.setenv("REPLIQUANT_STUDIES", str(tmp_path / "studies"))
    study(tmp_path, "own")
    return found


def study(root: Path, name: str) -> Path:
    folder = root / "studies" / name
    folder.mkdir(parents=True)
    (folder / "study.toml").write_text("")
    return folder


def test_folders_are_added_in_their_order(roots: list[Path], tmp_path: Path) -> None:
    first, second = study(roots[0], "z"), study(roots[1], "b")
    own = tmp_path / "studies" / "own"
    assert paths.STUDIES.all() == {"b": second, "own": own, "z": first}
    assert first == paths.STUDIES / "z"
    assert paths.folders("studies") == [own.parent, first.parent, second.parent]


def test_a_name_that_nothing_has_is_looked_for_among_our_own(
    roots: list[Path], tmp_path: Path
) -> None:
    assert tmp_path / "studies" / "other" == paths.STUDIES / "other"


def test_no_study_is_shadowed(roots: list[Path], tmp_path: Path) -> None:
    other = study(roots[1], "own")
    with pytest.raises(InputError) as refused:
        paths.STUDIES / "own"
    assert str(refused.value) == (
        f"there are two of the study 'own': {other} and {tmp_path / 'studies' / 'own'}. "
        "Rename one, or take its folder out of REPLIQUANT_PATH"
    )


@pytest.mark.parametrize(("make", "says"), [
    (lambda path: None, "does not exist"), (lambda path: path.write_text(""), "is not a folder"),
])  # fmt: skip
def test_a_folder_that_is_not_there_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: object, says: str
) -> None:
    make(tmp_path / "gone")  # type: ignore[operator]
    monkeypatch.setenv("REPLIQUANT_PATH", str(tmp_path / "gone"))
    with pytest.raises(InputError) as refused:
        paths.extensions()
    assert str(refused.value) == (
        f"REPLIQUANT_PATH: {tmp_path / 'gone'} {says}. Create it, or take it out of REPLIQUANT_PATH"
    )


def test_a_folder_counts_once_however_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("REPLIQUANT_PATH", f"a::{tmp_path}/a/:~/a:link:{paths.ROOT}")
    assert paths.extensions() == [tmp_path / "a"]
    assert paths.cell_variables()["REPLIQUANT_PATH"] == str(tmp_path / "a")


def test_without_the_variable_there_is_what_comes_with_repliquant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("REPLIQUANT_PATH", raising=False)
    assert paths.extensions() == []
    assert "REPLIQUANT_PATH" not in paths.cell_variables()
    assert {kind: len(paths.folders(kind)) for kind in paths.KINDS} == dict.fromkeys(paths.KINDS, 1)


def test_an_image_without_its_file_is_still_an_image(roots: list[Path]) -> None:
    folder = roots[0] / "images" / "half"
    folder.mkdir(parents=True)
    (folder / "requirements.in").write_text("numpy\n")
    (roots[0] / "images" / "__pycache__").mkdir()
    assert paths.IMAGES.all()["half"] == folder and "__pycache__" not in paths.IMAGES.all()


def test_files_are_modules_and_where_wanted_packages(tmp_path: Path) -> None:
    (tmp_path / "whole_one").mkdir()
    for name in ("one_file.py", "_not.py", "whole_one/__init__.py", "notes.txt"):
        (tmp_path / name).write_text("")
    assert list(paths.files("engine", [tmp_path])) == ["one-file"]
    assert list(paths.files("engine", [tmp_path], packages=True)) == ["one-file", "whole-one"]
