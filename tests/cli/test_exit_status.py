"""A reader that goes away changes nothing about how a command ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from cli.main import COMMANDS
from tests.cli.conftest import RUN
from tests.conftest import Workshop

BAD = "bad.crate.zip"
FAILING = [
    (["doctor"], 3),
    (["studies", "toi"], 2),
    (["plan", "toy", "-k", "alfa"], 2),
    (["run", "toy", "--engine", "fake", "-k", "alpha"], 1),
    (["run", "toy", "--engine", "fake", "-k", "alpha", "--tables"], 1),
    (["run", "toy", "--engine", "fake", "-k", "alpha", "--json"], 1),
    (["run", "toy", "--engine", "locl"], 2),
    (["measure", "no-model.onnx"], 2),
    (["status", "toy-quik"], 2),
    (["table", "toi"], 2),
    (["explain", "toi"], 2),
    (["matrix", "toy-quik"], 2),
    (["claims", "toi"], 2),
    (["audit", "toi"], 2),
    (["compare", RUN, RUN], 2),
    (["report", "toy-quik"], 2),
    (["report", RUN, "-o", "no/such/folder.html"], 2),
    (["export", "toy-quik"], 2),
    (["bundle", "toy-quik"], 2),
    (["verify", BAD], 1),
    (["verify", BAD, "--json"], 1),
    (["verify", "studies/toy/study.toml"], 2),
    (["show", "ffffff"], 2),
    (["tui", "toy"], 3),
    (["replay", "toy-quik"], 2),
    (["images", "build", "alpha", "unbuildable", "--engine", "local"], 3),
    (["images", "verify", "unbuildable", "--engine", "local"], 3),
    (["gpu-check"], 3),
    (["stage", "toi", "staged"], 2),
    (["stage", "toy", "nowhere", "--check"], 2),
    (["pln"], 2),
]
# Long work that nobody listens to any more is ended; the others have nothing to lose.
LONG = ("run", "images build")
QUIET = [
    (arguments, 130 if " ".join(arguments).startswith(LONG) and status != 2 else status)
    for arguments, status in FAILING
]


def words(arguments: object) -> str | None:
    return " ".join(arguments) if isinstance(arguments, list) else None


@pytest.fixture(scope="session")
def _failing_once(_finished_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The finished run, a good archive of it, a changed one, and images that can't be built."""
    folder = tmp_path_factory.mktemp("failing")
    shutil.copytree(_finished_once, folder, dirs_exist_ok=True)
    Workshop(folder)("bundle", RUN, "-o", "good.crate.zip")
    with (
        zipfile.ZipFile(folder / "good.crate.zip") as good,
        zipfile.ZipFile(folder / BAD, "w") as bad,
    ):
        for name in good.namelist():
            bad.writestr(name, good.read(name) + (b" " if name == "report.html" else b""))
    unbuildable(folder)
    return folder


@pytest.fixture
def failing(workshop: Workshop, _failing_once: Path) -> Workshop:
    """A workshop in which every line of ``FAILING`` fails as it says."""
    shutil.copytree(_failing_once, workshop.folder, dirs_exist_ok=True)
    (workshop.folder / "images" / "beta" / "requirements.txt").unlink()
    workshop.environment["PIP_NO_INDEX"] = "1"
    return workshop


def unbuildable(folder: Path) -> None:
    """An image that wants a Python that nobody has."""
    image = folder / "images" / "unbuildable"
    image.mkdir()
    text = (folder / "images" / "alpha" / "image.toml").read_text()
    text = text.replace('"alpha"', '"unbuildable"').replace('["3.11", "3.12", "3.13"]', '["2.2"]')
    (image / "image.toml").write_text(text)
    (image / "requirements.txt").write_text("")
    (image / "verify.py").write_text("")


def test_every_command_that_can_fail_is_looked_at() -> None:
    assert {arguments[0] for arguments, _ in FAILING} - {"pln"} == set(COMMANDS)


def without_reader(workshop: Workshop, arguments: list[str], errors: bool) -> tuple[int, bytes]:
    """Exit status and standard error of a command whose output nobody reads from the start."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        workshop.command(*arguments), cwd=workshop.folder, env=workshop.environment,
        stdin=subprocess.DEVNULL, stdout=write, stderr=write if errors else subprocess.PIPE,
        timeout=120, check=False,
    )  # fmt: skip
    os.close(write)
    return done.returncode, done.stderr or b""


@pytest.mark.parametrize(("arguments", "status"), FAILING, ids=words)
def test_a_failure_is_one_though_nobody_reads_its_output(
    failing: Workshop, arguments: list[str], status: int
) -> None:
    ended, told = without_reader(failing, arguments, errors=False)
    assert ended == status, told
    assert b"Traceback" not in told and b"BrokenPipe" not in told


@pytest.mark.first(8)
@pytest.mark.parametrize(("arguments", "status"), QUIET, ids=words)
def test_a_failure_is_one_though_nobody_reads_its_message(
    failing: Workshop, arguments: list[str], status: int
) -> None:
    assert without_reader(failing, arguments, errors=True)[0] == status


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (f"verify {BAD}", 1),
        ("run toy --engine fake -k alpha --tables 2>/dev/null", 1),
        ("verify good.crate.zip", 0),
        ("table toy", 0),
    ],
)
def test_a_shell_with_pipefail_sees_how_a_command_ended(
    failing: Workshop, command: str, status: int
) -> None:
    line = f"set -o pipefail; {' '.join(failing.command())} {command} | head -n 1"
    done = subprocess.run(
        ["bash", "-c", line], cwd=failing.folder, env=failing.environment,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == status, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
@pytest.mark.parametrize("arguments", [["plan", "toy"], ["status", "--json"], ["--help"]])
def test_a_full_disk_behind_the_output_is_a_failure(
    finished: Workshop, arguments: list[str]
) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            finished.command(*arguments), cwd=finished.folder, env=finished.environment,
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "repliquant: standard output can't be written to: No space left on device"
    ]
