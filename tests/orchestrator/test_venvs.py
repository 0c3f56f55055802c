"""Environments are made from a lock; only one that was verified to the end counts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from manifests.errors import InputError, MachineError
from orchestrator.environments import venvs
from orchestrator.environments.images import Image, load_image
from orchestrator.file_lock import HeldError, exclusive
from tests.conftest import ROOT
from tests.fakes.studies import write_image
from tests.orchestrator.reading import wait_until

pytestmark = pytest.mark.cells
BUILD = """
import sys
from pathlib import Path
from orchestrator.environments import venvs
from orchestrator.environments.images import load_image
venvs.build(load_image("small", Path(sys.argv[1])), lambda note: print(note.text, flush=True))
"""


@pytest.fixture(autouse=True)
def _places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache of its own, and no package index."""
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def image(folder: Path, requirements: str = "", verify: str = "") -> Image:
    write_image(folder, "small", requirements, verify)
    return load_image("small", folder / "images")


def build(small: Image) -> list[str]:
    """What the building told."""
    told: list[str] = []
    venvs.build(small, lambda note: told.append(note.text))
    return told


def start(folder: Path) -> subprocess.Popen[str]:
    """Build in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", BUILD, str(folder / "images")],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip


def test_an_environment_is_made_verified_and_found_again(tmp_path: Path) -> None:
    small = image(tmp_path, verify="import sys; print('noise'); print('ok: prefix', sys.prefix)")
    assert venvs.ready(small) is None
    told = build(small)
    assert told[0].startswith("making small with ")
    folder = venvs.environment_folder(small)
    assert told[-1] == f"verify: ok: prefix {folder}"
    done = venvs.ready(small)
    assert done is not None
    assert (done.image, done.checks) == ("small", [f"ok: prefix {folder}"])
    assert done.lock_sha256 == small.lock_sha256
    assert build(small) == []


def test_another_lock_is_another_environment(tmp_path: Path) -> None:
    one = venvs.environment_folder(image(tmp_path))
    assert venvs.environment_folder(image(tmp_path)) == one
    assert venvs.environment_folder(image(tmp_path, "numpy==2.0.0\n")) != one


def test_an_installation_that_fails_shows_its_last_lines_and_is_not_finished(
    tmp_path: Path,
) -> None:
    small = image(tmp_path, "repliquant-does-not-exist==1\n")
    with pytest.raises(MachineError) as failed:
        build(small)
    text = str(failed.value)
    assert text.startswith("the environment small could not be made: install ended with status 1.")
    assert "No matching distribution found for repliquant-does-not-exist==1" in text
    assert text.endswith("or build it alone: repliquant images build small")
    assert failed.value.exit_code == 3
    assert venvs.ready(small) is None


def test_a_check_that_fails_shows_its_last_lines_and_is_not_finished(tmp_path: Path) -> None:
    small = image(tmp_path, verify="print('int8 is missing')\nraise SystemExit(4)")
    with pytest.raises(MachineError, match="verify ended with status 4") as failed:
        build(small)
    assert "Its last lines:\n  int8 is missing\n" in str(failed.value)
    assert venvs.ready(small) is None

    (small.folder / "verify.py").write_text("print('ok')")
    build(small)
    assert venvs.ready(small) is not None


def test_a_build_that_was_killed_is_made_anew(tmp_path: Path) -> None:
    hold = tmp_path / "hold"
    hold.touch()
    verify = f"import os, time\nwhile os.path.exists({str(hold)!r}): time.sleep(0.02)"
    small = image(tmp_path, verify=verify)
    folder = venvs.environment_folder(small)
    process = start(tmp_path)
    wait_until(lambda: (folder / "bin" / "python").exists(), "no build was begun")
    (folder / "left-over").touch()
    process.kill()
    hold.unlink()
    process.communicate()
    assert venvs.ready(small) is None
    build(small)
    assert venvs.ready(small) is not None
    assert not (folder / "left-over").exists()


def test_what_a_killed_build_has_started_holds_the_lock_until_it_ends(tmp_path: Path) -> None:
    hold, checking = tmp_path / "hold", tmp_path / "checking"
    hold.touch()
    wait = f"while os.path.exists({str(hold)!r}): time.sleep(0.02)"
    small = image(tmp_path, verify=f"import os, time\nopen({str(checking)!r}, 'w')\n{wait}")
    folder = venvs.environment_folder(small)
    with start(tmp_path) as process:
        wait_until(checking.exists, "the check was not begun")
        process.kill()
        process.wait()
        with pytest.raises(HeldError), exclusive(folder.with_suffix(".lock")):
            pass
        hold.unlink()
    build(small)
    assert venvs.ready(small) is not None


def test_of_two_builds_at_once_one_builds_and_the_other_finds_it(tmp_path: Path) -> None:
    built = tmp_path / "built.txt"
    verify = f"import time\nopen({str(built)!r}, 'a').write('once ')\ntime.sleep(0.5)"
    image(tmp_path, verify=verify)
    processes = [start(tmp_path), start(tmp_path)]
    told = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert built.read_text() == "once "
    assert sum("making small with " in text for text in told) == 1
    waited = next(text for text in told if "making small with " not in text)
    assert waited.startswith("waiting for process ")


def test_a_ready_file_cut_short_is_no_finished_environment(tmp_path: Path) -> None:
    small = image(tmp_path)
    folder = venvs.environment_folder(small)
    folder.mkdir(parents=True)
    (folder / "ready.json").write_bytes(b'{"image": "small", "lock_s')
    assert venvs.ready(small) is None


def test_an_image_without_its_lock_says_how_to_make_it(tmp_path: Path) -> None:
    small = image(tmp_path)
    small.lock.unlink()
    with pytest.raises(
        InputError, match=r"requirements\.txt can't be read .*; run: repliquant images lock"
    ):
        build(small)


def test_a_python_that_is_nowhere_is_told_with_the_places(tmp_path: Path) -> None:
    small = image(tmp_path)
    path = small.folder / "image.toml"
    path.write_text(path.read_text().replace('["3.11", "3.12", "3.13"]', '["3.99"]'))
    with pytest.raises(MachineError, match=r"no Python 3\.99 found \(looked at .*Install one"):
        build(load_image("small", tmp_path / "images"))


def test_too_little_disk_is_told_before_anything_is_made(tmp_path: Path) -> None:
    small = image(tmp_path)
    path = small.folder / "image.toml"
    path.write_text(path.read_text().replace("disk_mb = 1", "disk_mb = 999999999"))
    small = load_image("small", tmp_path / "images")
    with pytest.raises(MachineError, match=r"needs about 999999999 MB, and .* MB free"):
        build(small)
    assert not venvs.environment_folder(small).exists()
