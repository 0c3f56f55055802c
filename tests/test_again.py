"""Tests that failed once are run again, and only they."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.again import FAILED
from tests.conftest import ROOT

UNSTEADY = """
from pathlib import Path

def test_fails_at_first():
    seen = Path("seen")
    first = not seen.exists()
    seen.touch()
    assert not first

def test_holds():
    with open("held", "a") as held:
        held.write("x")
"""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
FAILING = "def test_fails():\n    assert False\n"


def again(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    first = [sys.executable, "-m", "pytest", "-q"]
    subprocess.run(first, cwd=folder, env=ENVIRONMENT, capture_output=True, check=False)
    return run(folder)


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run(
        [sys.executable, "-m", "tests.again"], cwd=folder, env=ENVIRONMENT, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def test_what_passes_alone_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_unsteady.py").write_text(UNSTEADY)
    done = again(tmp_path)
    assert done.returncode == 0
    _, _, named = done.stdout.partition("FAILED BESIDE OTHERS, PASSED ALONE:\n")
    assert named.split() == ["test_unsteady.py::test_fails_at_first"]
    assert (tmp_path / "held").read_text() == "x"


@pytest.mark.parametrize("group", ["docker", "/a/folder/test_unsteady.py"])
def test_names_of_groups_are_no_part_of_a_tests_name(tmp_path: Path, group: str) -> None:
    (tmp_path / "test_unsteady.py").write_text(UNSTEADY.replace("test_holds", "test_other"))
    (tmp_path / "seen").touch()
    kept = tmp_path / FAILED
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps({f"test_unsteady.py::test_fails_at_first@{group}": True}))
    done = run(tmp_path)
    assert (done.returncode, "1 passed" in done.stdout) == (0, True)


def test_a_name_that_is_not_found_has_failed(tmp_path: Path) -> None:
    (tmp_path / "test_unsteady.py").write_text(UNSTEADY)
    kept = tmp_path / FAILED
    kept.parent.mkdir(parents=True)
    names = {"test_unsteady.py::test_fails_at_first": True, "test_gone.py::test_it": True}
    kept.write_text(json.dumps(names))
    (tmp_path / "seen").touch()
    assert run(tmp_path).returncode == 1


def test_what_fails_again_has_failed(tmp_path: Path) -> None:
    (tmp_path / "test_unsteady.py").write_text(UNSTEADY)
    (tmp_path / "test_failing.py").write_text(FAILING)
    assert again(tmp_path).returncode == 1


def test_many_failures_are_no_accident(tmp_path: Path) -> None:
    every = "".join(FAILING.replace("fails", f"fails_{number}") for number in range(11))
    (tmp_path / "test_failing.py").write_text(every)
    done = again(tmp_path)
    assert (done.returncode, done.stdout) == (
        1, "11 tests have failed; up to 10 would be run again alone\n"
    )  # fmt: skip


def test_a_run_that_left_no_failure_has_failed_otherwise(tmp_path: Path) -> None:
    (tmp_path / "test_broken.py").write_text("")
    assert again(tmp_path).returncode == 1
