"""Tests that failed once are run again, and only they."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

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
FAILING = "def test_fails():\n    assert False\n"


def again(folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    first = [sys.executable, "-m", "pytest", "-q"]
    subprocess.run(first, cwd=folder, env=environment, capture_output=True, check=False)
    return subprocess.run(
        [sys.executable, "-m", "tests.again"], cwd=folder, env=environment, capture_output=True,
        text=True, check=False,
    )  # fmt: skip


def test_what_passes_alone_is_named(tmp_path: Path) -> None:
    (tmp_path / "test_unsteady.py").write_text(UNSTEADY)
    done = again(tmp_path)
    assert done.returncode == 0
    _, _, named = done.stdout.partition("FAILED BESIDE OTHERS, PASSED ALONE:\n")
    assert named.split() == ["test_unsteady.py::test_fails_at_first"]
    assert (tmp_path / "held").read_text() == "x"


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
