"""What a reviewer types first: every step with its number, and a result at the end."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.fakes.studies import write_study
from tests.frameworks.conftest import smallest_study


def kick_tires(folder: Path, study: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ,
        "REPLIQUANT_STUDIES": str(folder / "studies"),
        "REPLIQUANT_RUNS": str(folder / "runs"),
    }
    command = [shutil.which("just") or "just", "kick-tires", study]
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.frameworks
def test_each_step_works_and_the_last_line_says_so(tmp_path: Path) -> None:
    smallest_study(tmp_path)
    done = kick_tires(tmp_path, "lad2023")
    assert done.returncode == 0, done.stdout + done.stderr
    steps = re.findall(r"^(\d) of 5\. ", done.stdout, re.MULTILINE)
    assert steps == ["1", "2", "3", "4", "5"]
    assert re.search(r"^\d+ findings; to read them: repliquant audit lad2023$", done.stdout, re.M)
    assert "lad2023.crate.zip: archive verified: " in done.stdout
    assert re.search(r"^energy: about [0-9.,]{1,7} kWh at 100 W", done.stdout, re.MULTILINE)
    assert "kick-tires: all 5 steps worked" in done.stdout.splitlines()[-1]


def test_what_failed_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    """The toy's environments have nothing to run a cell with."""
    write_study(tmp_path)
    done = kick_tires(tmp_path, "toy")
    assert done.returncode != 0
    assert "5 of 5. toy: what the rest would take" in done.stdout
    last = done.stderr[done.stderr.index("kick-tires: these steps failed:") :]
    assert "toy: a small cell of each environment (exit status" in last
    assert "all 5 steps worked" not in done.stdout
