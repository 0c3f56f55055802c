"""What is said of a machine whose Slurm doesn't answer."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from orchestrator.engines import slurm


def test_who_asks_what_this_machine_has_is_not_kept_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slurm's own commands go on trying for 40 s when their controller is away."""
    for name in ("sbatch", "scontrol", "sinfo"):
        command = tmp_path / name
        command.write_text("#!/bin/sh\nexec sleep 60\n")
        command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(slurm, "_EXAMINE_S", 0.2)
    begin = time.monotonic()
    (finding,) = slurm.ENGINE.examine()
    assert time.monotonic() - begin < 20
    assert "scontrol did not answer within 0.2 s" in str(finding)
