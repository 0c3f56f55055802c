"""``repliquant images shell``: a command or a shell in an environment, where cells have theirs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Workshop

SHELL = ("images", "shell", "alpha", "--engine", "local", "--")
SEEN = "import sys, os; print(sys.prefix, os.getcwd(), os.environ['PATH'].split(':')[0])"


@pytest.fixture
def own(workshop: Workshop) -> Workshop:
    """With an environment for ``alpha``, of this Python."""
    version = f'python = ["{sys.version_info[0]}.{sys.version_info[1]}"]'
    file = workshop.folder / "images" / "alpha" / "image.toml"
    file.write_text(file.read_text().replace('python = ["3.11", "3.12", "3.13"]', version))
    return workshop


def test_a_command_runs_in_the_environment_and_its_status_is_ours(own: Workshop) -> None:
    seen = own(*SHELL, "python", "-c", SEEN).stdout.split()
    prefix, folder, first = seen
    assert prefix.startswith(str(own.folder / "cache"))
    assert first == f"{prefix}/bin"
    assert os.path.basename(folder).startswith("repliquant-shell-")
    assert not Path(folder).exists()
    own(*SHELL, "python", "-c", "raise SystemExit(7)", status=7)
    own(*SHELL, "python", "-c", "import os; os.kill(os.getpid(), 15)", status=143)
    refused = own(*SHELL, "no-such-program", status=2)
    assert "'no-such-program' can't be run in this environment" in refused.stderr


def test_without_a_command_it_is_a_shell(own: Workshop) -> None:
    done = subprocess.run(
        own.command(*SHELL[:-1]), cwd=own.folder, env={**own.environment, "SHELL": "/bin/sh"},
        input="command -v python\nexit 3\n", capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert done.stdout.startswith(str(own.folder / "cache"))


def test_an_engine_without_shells_is_refused(workshop: Workshop) -> None:
    refused = workshop("images", "shell", "alpha", "--engine", "slurm", status=2)
    assert "the engine slurm has no shell. Accepted: docker, local" in refused.stderr
