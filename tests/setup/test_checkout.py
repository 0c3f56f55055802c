"""A checkout under odd names, moved, copied, and without the Python that it was set up with."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from orchestrator.environments.pins import read_pins
from tests.conftest import ROOT

FOLDERS = (
    "manifests", "machine", "papers", "comparisons", "orchestrator", "runners", "services", "cli",
    "tui",
)  # fmt: skip
FILES = (
    "justw", "justfile", "pyproject.toml", "hatch_build.py", "repliquant.py", "README.md",
    "LICENSE", ".gitattributes",
)  # fmt: skip
ODD = "a ü b's"


class Checkout:
    """A copy of this checkout with a justfile of its own, whose host side is its own code alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *command: str, status: int = 0, **variables: str) -> str:
        """What a command prints, output and errors together."""
        own = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
        done = subprocess.run(
            command, cwd=self.folder, env={**own, **variables}, text=True, errors="replace",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == status, done.stdout
        return done.stdout


def write_checkout(folder: Path) -> Checkout:
    folder.mkdir()
    for name in FOLDERS:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in (*FILES, "requirements-just.txt"):
        shutil.copy(ROOT / name, folder)
    pins = ("click", "hatchling", "packaging", "pathspec", "pluggy", "trove-classifiers", "msgspec")
    kept = [pin.text for pin in read_pins(ROOT / "requirements.txt") if pin.name in pins]
    (folder / "requirements.txt").write_text("\n".join(kept) + "\n")
    return Checkout(folder)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Set up under a name with spaces, a quote and an umlaut, where nothing of ours may be named
    by PYTHONPATH and pip is led elsewhere.
    """
    own = write_checkout(tmp_path_factory.mktemp("place") / ODD)
    told = own("./justw", "setup", PIP_USER="1", PIP_TARGET="/nowhere/at/all")
    assert "justw: making .venv with" in told
    assert "(there is none yet)" in told
    return own


REPLIQUANT = ".venv/bin/repliquant"
pytestmark = pytest.mark.frameworks  # pip takes its time


@pytest.mark.parametrize("name", ["a:b", "a$b", 'a"b', "a`b", "a\\b"])
def test_a_folder_whose_programs_would_not_start_is_refused(tmp_path: Path, name: str) -> None:
    own = Checkout(tmp_path / name)
    own.folder.mkdir()
    shutil.copy(ROOT / "justw", own.folder)
    told = own("./justw", "setup", status=3)
    assert told.startswith(f"justw: {own.folder} can't hold an environment")
    assert "Rename the folder" in told


def test_a_second_setup_does_nothing(made: Checkout) -> None:
    assert made("./justw", "setup") == ""
    assert made(REPLIQUANT, "--version").startswith("repliquant 0.")


@pytest.mark.parametrize("variables", [
    {"LC_ALL": "C"}, {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
])  # fmt: skip
def test_its_programs_start_in_every_locale(made: Checkout, variables: dict[str, str]) -> None:
    assert "Usage: repliquant" in made(REPLIQUANT, "--help", **variables)
    assert made("./justw", "setup", **variables) == ""


@pytest.mark.skipif(shutil.which("localedef") is None, reason="no localedef here")
def test_its_programs_start_in_a_latin_1_locale(made: Checkout, tmp_path: Path) -> None:
    locale = tmp_path / "de_DE.ISO-8859-1"
    own = subprocess.run(
        ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", locale], check=False, capture_output=True
    )
    if not locale.exists():
        pytest.skip(f"no such locale can be made here: {own.stderr.decode()[:200]}")
    variables = {"LOCPATH": str(tmp_path), "LC_ALL": "de_DE.ISO-8859-1"}
    assert "Usage: repliquant" in made(REPLIQUANT, "--help", **variables)
    assert made("./justw", "setup", **variables) == ""


@pytest.mark.parametrize("foreign", FOLDERS)
def test_a_package_on_pythonpath_with_one_of_our_names_is_not_taken(
    made: Checkout, tmp_path: Path, foreign: str
) -> None:
    (tmp_path / foreign).mkdir()
    (tmp_path / foreign / "__init__.py").write_text("raise SystemExit('foreign')\n")
    own = {"PYTHONPATH": str(tmp_path)}
    assert "tui" in made(REPLIQUANT, "--help", **own)
    script = f"import {foreign}; print({foreign}.__file__)"
    assert made(".venv/bin/python", "-c", script, **own).startswith(str(made.folder))
    assert made("./justw", "setup", **own) == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_recipes_run_where_temporary_folders_run_no_programs(
    made: Checkout, tmp_path: Path
) -> None:
    recipe = '\n\nscripted what:\n    #!/bin/sh\n    echo "ran $1"\n'
    justfile = made.folder / "justfile"
    justfile.write_text((ROOT / "justfile").read_text() + recipe)
    mounts = "mount -t tmpfs -o noexec none /tmp/noexec-here"
    script = f'{mounts.replace("/tmp/noexec-here", str(tmp_path))} && ./justw scripted "two words"'
    told = made(
        "unshare",
        "--mount",
        "sh",
        "-c",
        script,
        TMPDIR=str(tmp_path),
        XDG_RUNTIME_DIR=str(tmp_path),
    )
    assert told.strip().endswith("ran two words")
    assert list(made.folder.glob("just-*")) == []


def test_a_copy_runs_its_own_code(made: Checkout, tmp_path: Path) -> None:
    copy = Checkout(tmp_path / "copy of it")
    shutil.copytree(made.folder, copy.folder, symlinks=True)
    version = copy.folder / "orchestrator" / "version.py"
    version.write_text(version.read_text().replace('VERSION = "', 'VERSION = "99.'))
    told = copy("./justw", "setup")
    assert f"(the one here was made for {made.folder})" in told
    assert "99." in copy(REPLIQUANT, "--version")

    moved = Checkout(tmp_path / "moved")
    copy.folder.rename(moved.folder)
    assert f"(the one here was made for {copy.folder})" in moved("./justw", "setup")
    assert "99." in moved(REPLIQUANT, "--version")

    python = moved.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python3.11")
    assert "(the Python of the one here is gone or has changed)" in moved("./justw", "setup")
    assert "99." in moved(REPLIQUANT, "--version")
