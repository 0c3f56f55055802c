"""Finding a Python of a version: a start script of pyenv is slow to ask, and is asked last."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.errors import MachineError
from orchestrator.environments.pythons import find_interpreter

VERSION = "2.99"


def program(path: Path, version: str = VERSION, asked: Path | None = None) -> Path:
    """One that says it is Python ``version``, and leaves a mark where it was ``asked``."""
    path.parent.mkdir(parents=True)
    mark = f"touch {asked}\n" if asked else ""
    path.write_text(f"#!/bin/sh\n{mark}echo {version}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pyenv's folder, with its start scripts on the PATH."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", f"{tmp_path / 'shims'}:/usr/bin:/bin")
    return tmp_path


def test_an_interpreter_of_pyenv_is_found_without_its_start_script(root: Path) -> None:
    program(root / "shims" / f"python{VERSION}", asked=root / "asked")
    python = program(root / "versions" / f"{VERSION}.1" / "bin" / "python")
    assert find_interpreter([VERSION]) == python
    assert not (root / "asked").exists()


def test_a_start_script_is_asked_where_nothing_else_is_there(root: Path) -> None:
    script = program(root / "shims" / f"python{VERSION}")
    assert find_interpreter([VERSION]) == script


def test_one_on_the_path_comes_before_those_of_pyenv(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(root / "versions" / f"{VERSION}.1" / "bin" / "python")
    python = program(root / "bin" / f"python{VERSION}")
    monkeypatch.setenv("PATH", f"{root / 'bin'}:/usr/bin:/bin")
    assert find_interpreter([VERSION]) == python


def test_every_place_is_named_where_none_is_found(root: Path) -> None:
    script = program(root / "shims" / f"python{VERSION}", "2.98")
    with pytest.raises(MachineError, match=f"no Python {VERSION} found .*{script}"):
        find_interpreter([VERSION])
