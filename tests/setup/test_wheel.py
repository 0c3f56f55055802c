"""A wheel in an environment of its own: one import name, and the whole application behind it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT

OURS = ("manifests", "machine", "runners", "papers", "comparisons", "orchestrator", "services",
        "cli", "tui")  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation",
         "-w", str(folder), str(ROOT)],
        check=True, timeout=300,
    )  # fmt: skip
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its Python. What it depends on is found where these tests have it, ours is not."""
    folder = tmp_path_factory.mktemp("application")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "-q", "--python", str(python), "install", "--no-deps",
         str(wheel)],
        check=True, timeout=300,
    )  # fmt: skip
    packages = next(folder.glob("lib/python3*/site-packages"))
    dependencies = folder / "dependencies"
    dependencies.mkdir()
    for entry in Path(sysconfig.get_path("purelib")).iterdir():
        if "repliquant" not in entry.name and not entry.name.endswith(".pth"):
            (dependencies / entry.name).symlink_to(entry)
    (packages / "dependencies.pth").write_text(f"{dependencies}\n")
    return python


def ran(command: list[object], folder: Path) -> str:
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, capture_output=True, text=True, check=False,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "REPLIQUANT_CACHE": str(folder / "c")},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_everything_lies_inside_one_import_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"repliquant"}
    inside = {name.split("/")[1] for name in names if name.startswith("repliquant/")}
    assert {*OURS, "studies", "images", "docs", "__init__.py"} <= inside
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_no_name_of_ours_is_taken_in_the_environment(installed: Path, tmp_path: Path) -> None:
    script = (
        "from importlib.util import find_spec\n"
        f"print([name for name in {OURS!r} if find_spec(name)], bool(find_spec('repliquant')))"
    )
    assert ran([installed, "-c", script], tmp_path) == "[] True\n"


def test_the_application_lists_plans_and_audits(installed: Path, tmp_path: Path) -> None:
    program = installed.with_name("repliquant")
    assert "lad2023" in ran([program, "studies"], tmp_path)
    assert "cells" in ran([program, "plan", "lad2023"], tmp_path)
    assert ran([program, "audit", "lad2023", "--json"], tmp_path).startswith("{")


def test_a_run_is_read_without_taking_names_of_the_callers(installed: Path, tmp_path: Path) -> None:
    demo = ROOT / "tui" / "demo" / "lad2023-quick-digits"
    (tmp_path / "cli.py").write_text("MINE = True\n")
    script = (
        "import repliquant, cli\n"
        f"print(len(repliquant.read_run({str(demo)!r}).manifests) > 3, cli.MINE)"
    )
    assert ran([installed, "-c", script], tmp_path) == "True True\n"
    (tmp_path / "manifests.py").write_text("")
    script = f"import repliquant\nrepliquant.read_run({str(demo)!r})"
    with pytest.raises(AssertionError, match="Write the tables with 'repliquant export'"):
        ran([installed, "-c", script], tmp_path)


@pytest.mark.frameworks
def test_one_real_cell_runs_from_it(
    images: dict[str, Path], installed: Path, tmp_path: Path
) -> None:
    """Its environment is the one that the tests have built; the code is the wheel's."""
    from manifests import paths

    cache = tmp_path / "c"
    cache.mkdir()
    (cache / "envs").symlink_to(paths.cache() / "envs")
    program = installed.with_name("repliquant")
    ran(
        [program, "run", "lad2023", "--engine", "local", "-k",
         "pytorch and float32 and train", "--run", tmp_path / "run"],
        tmp_path,
    )  # fmt: skip
    script = (
        f"import repliquant; run = repliquant.read_run({str(tmp_path / 'run')!r})\n"
        "print([m.status for m in run.manifests])"
    )
    assert ran([installed, "-c", script], tmp_path) == "['ok']\n"
    assert shutil.which("repliquant", path=str(installed.parent))
