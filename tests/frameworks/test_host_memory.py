"""TensorFlow out of host memory is ``oom`` and not a crash.

Not always: TensorFlow 2.8's oneDNN kernels use a tensor that they were refused, and its process
then ends with SIGABRT or SIGSEGV and no word of memory. So it is not among what has to pass.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

pytestmark = [pytest.mark.frameworks, pytest.mark.thorough]


def test_tensorflow_without_enough_address_space_is_out_of_memory(
    old_python: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.frameworks.limited", tmp_path, "7", "2"],
        cwd=ROOT, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    assert len(lines) == 2, done.stderr
    assert all(line.startswith("oom: ") for line in lines), lines
