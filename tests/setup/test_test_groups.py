"""Tests that must not run side by side stay on one worker: the group of a test is honoured."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

GROUPED = """\
import time
import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(6))
def test_grouped(number):
    time.sleep(0.05)
"""


def test_a_group_of_tests_runs_on_one_worker(tmp_path: Path) -> None:
    """Some pairs of pytest and pytest-xdist let a group fall apart without a word."""
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadgroup", "-c", "/dev/null",
         "--rootdir", str(tmp_path), str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    workers = re.findall(r"^\[(gw\d)\] .*PASSED", done.stdout, re.MULTILINE)
    assert len(workers) == 6, done.stdout
    assert len(set(workers)) == 1, done.stdout
