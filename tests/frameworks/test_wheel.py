"""A built wheel, installed in an environment of its own, runs a real cell."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests import paths
from tests.installed import build_wheel, install_wheel, ran

pytestmark = pytest.mark.frameworks


def test_one_real_cell_runs_from_a_wheel(images: dict[str, Path], tmp_path: Path) -> None:
    """Its environment is the one that the tests have built; the code is the wheel's."""
    python = install_wheel(build_wheel(tmp_path), tmp_path / "application")
    cache = tmp_path / "c"
    cache.mkdir()
    (cache / "envs").symlink_to(paths.cache() / "envs")
    ran(
        [python.with_name("repliquant"), "run", "lad2023", "--engine", "local", "-k",
         "pytorch and float32 and train and batch_size=128", "--run", tmp_path / "run"],
        tmp_path,
    )  # fmt: skip
    script = (
        f"import repliquant; run = repliquant.read_run({str(tmp_path / 'run')!r})\n"
        "print([(m.status, m.cell.technique) for m in run.manifests])"
    )
    assert ran([python, "-c", script], tmp_path) == "[('ok', 'float32')]\n"
