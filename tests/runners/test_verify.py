"""Running an image's checks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from manifests.paths import ROOT


def verified(tmp_path: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "verify.py").write_text(text)
    return subprocess.run(
        [sys.executable, *options, "-m", "runners.verify", str(tmp_path / "verify.py")],
        env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip


CHECKS = """\
import os

from runners.verify import the_driver_can_be_asked
from shutil import which

os.environ["SET"] = "early"


def second_by_name() -> str:
    import warnings

    warnings.warn("not shown")
    return os.environ["SET"]


def _not_a_check() -> str:
    raise AssertionError


def helped(by: int) -> str:
    raise AssertionError


short = lambda: 1 / 0


def a_first_by_name() -> str:
    return "last"
"""


def test_every_public_function_is_a_check_in_its_order(tmp_path: Path) -> None:
    done = verified(tmp_path, CHECKS.replace("from runners.verify import the_driver", "# "))
    assert (done.returncode, done.stdout, done.stderr) == (0, "ok: early\nok: last\n", "")


def test_a_check_that_runners_have_counts_where_it_is_imported(tmp_path: Path) -> None:
    """-S: without the packages of this interpreter."""
    done = verified(tmp_path, CHECKS, "-S")
    assert done.returncode == 1
    assert done.stdout == (
        "failed: the_driver_can_be_asked: ModuleNotFoundError: No module named 'pynvml'\n"
    )


@pytest.mark.parametrize(("text", "status", "printed"), [
    ("def it_holds():\n    assert 1 > 2, 'one is less'\n", 1,
     "failed: it_holds: AssertionError: one is less\n"),
    ("print('ok: by itself')\n", 0, "ok: by itself\n"),
    ("print('no int8')\nraise SystemExit(4)\n", 4, "no int8\n"),
])  # fmt: skip
def test_the_exit_status_says_whether_all_hold(
    tmp_path: Path, text: str, status: int, printed: str
) -> None:
    done = verified(tmp_path, text)
    assert (done.returncode, done.stdout) == (status, printed)
