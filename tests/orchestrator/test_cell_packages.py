"""Inside a cell only what a cell needs can be imported; nothing of ours hides anything else."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from manifests import paths
from tests.manifests.old_python import python_3_8

pytestmark = pytest.mark.cells
SEEN = """
from importlib.util import find_spec
names = ["manifests", "machine", "runners", "papers", "comparisons", "orchestrator", "services",
         "cli", "tui", "tests", "repliquant"]
print([name for name in names if find_spec(name)])
"""


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def seen(folder: Path) -> str:
    return subprocess.run(
        [python_3_8(), "-c", SEEN], cwd=folder, text=True, capture_output=True, check=True,
        env={**os.environ, "PYTHONPATH": paths.python_path()},
    ).stdout  # fmt: skip


def test_a_cell_finds_three_packages_and_no_more(tmp_path: Path) -> None:
    assert seen(tmp_path) == "['manifests', 'machine', 'runners']\n"


def test_links_that_lead_elsewhere_are_made_anew(cache: Path, tmp_path: Path) -> None:
    folder = paths.in_a_cell()
    (folder / "runners").unlink()
    (folder / "runners").symlink_to(tmp_path)
    (folder / "machine").unlink()
    assert paths.in_a_cell() == folder and folder.is_relative_to(cache)
    assert (folder / "runners" / "__main__.py").is_file() and (folder / "machine").is_dir()


def test_a_cache_that_cannot_be_written_leaves_the_whole_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REPLIQUANT_CACHE", "/proc/none")
    assert paths.in_a_cell() == paths.ROOT
