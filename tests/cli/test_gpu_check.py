"""``gpu-check`` at the terminal: refusals, and a summary also when nothing could run."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.conftest import Workshop


def interpreter(folder: Path, modules: str) -> Path:
    """One that has ``modules``, as JSON, and no PyTorch that it could import."""
    path = folder / "python"
    path.write_text(
        f'#!/bin/sh\necho \'FOUND {{"python": "3.12.3", "modules": {modules}, '
        '"missing": {"torch": "No module named torch"}}\'\n'
    )
    path.chmod(0o755)
    return path


def test_no_cuda_is_a_sentence_and_status_3(workshop: Workshop) -> None:
    without = interpreter(workshop.folder, '{"numpy": "2", "msgspec": "1"}')
    done = workshop("gpu-check", "--python", str(without), status=3)
    (line,) = done.stderr.splitlines()
    assert line.startswith("repliquant: gpu-check needs torch or tensorflow in ")
    assert not list(workshop.folder.glob("runs/*"))


def test_what_is_no_python_is_refused(workshop: Workshop) -> None:
    done = workshop("gpu-check", "--python", "/no/such", status=2)
    assert "--python '/no/such' is not an executable" in done.stderr


def test_a_wrong_time_is_refused(workshop: Workshop) -> None:
    workshop("gpu-check", "--minutes", "0", status=2)


def test_to_go_on_there_has_to_be_a_check(workshop: Workshop) -> None:
    done = workshop("gpu-check", "--device", "cpu", "--resume", status=2)
    assert "runs/gpu-check-cpu holds no gpu-check to go on with" in done.stderr


def test_what_is_packed_is_refused_in_words(workshop: Workshop) -> None:
    done = workshop("gpu-check", "--pack", "carry", "--python-version", "3.8", status=2)
    assert "--python-version '3.8': give two numbers from 3.11 on" in done.stderr
    (workshop.folder / "mine").mkdir()
    (workshop.folder / "mine/file").write_text("x")
    done = workshop("gpu-check", "--pack", "mine", status=2)
    assert "mine holds something else; choose another folder" in done.stderr
    done = workshop("gpu-check", "--python-version", "3.12", status=2)
    assert "--python-version goes with --pack" in done.stderr


def test_the_entry_of_what_is_carried_tells_an_old_python() -> None:
    import subprocess

    old = sorted(Path.home().glob(".pyenv/versions/3.8.*/bin/python"))
    if not old:
        pytest.skip("no Python 3.8 here")
    entry = Path(__file__).resolve().parents[2] / "cli" / "check_entry.py"
    done = subprocess.run([old[-1], entry], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert done.stderr == "gpu-check: needs Python 3.11 or later; this is 3.8\n"


def test_an_environment_without_the_packages_leaves_a_summary(workshop: Workshop) -> None:
    python = interpreter(workshop.folder, '{"tensorflow": "", "numpy": "2"}')
    image = Path(__file__).resolve().parents[2] / "images" / "tensorflow-cpu"
    shutil.copytree(image, workshop.folder / "images" / "tensorflow-cpu")
    done = workshop("gpu-check", "--device", "cpu", "--python", str(python), "--json", status=3)
    printed = json.loads(done.stdout)
    assert {cell["status"] for cell in printed["cells"]} == {"unsupported"}
    assert {cell["framework"] for cell in printed["cells"]} == {"tensorflow"}
    assert "msgspec: missing" in printed["cells"][0]["reason"]
    assert len(printed["cells"]) == 6 and printed["unstarted"] == []
    wrong = [v for v in printed["verdicts"] if v["verdict"] == "not as expected"]
    assert len(wrong) == 6 and "it is unsupported, not ok" in wrong[0]["why"]
    assert (workshop.runs / "gpu-check-cpu.tar.gz").is_file()
    folder = workshop.runs / "gpu-check-cpu"
    assert json.loads((folder / "summary.json").read_text()) == printed
    assert (folder / "summary.md").read_text().count("| unsupported |") == 6
    assert len(workshop.manifests()) == 6


def test_the_module_is_the_command(workshop: Workshop) -> None:
    import subprocess

    done = subprocess.run(
        [sys.executable, "-m", "cli", "--help"], cwd=workshop.folder, env=workshop.environment,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "gpu-check" in done.stdout
