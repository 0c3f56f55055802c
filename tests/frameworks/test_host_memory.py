"""Out of host memory is ``oom`` and not a crash; a plain kill is not out of memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.frameworks


def test_tensorflow_without_enough_address_space_is_out_of_memory(
    old_python: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.frameworks.limited", tmp_path, "7", "2"],
        cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    assert [line.split(":")[0] for line in lines] == ["oom", "oom"]
