"""``repliquant images shell`` in a container: piped, and on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
import time

import pytest

from tests.docker.conftest import DockerWorkshop

pytestmark = pytest.mark.docker
SHELL = ("images", "shell", "alpha", "--engine", "docker")


def test_what_is_piped_in_is_run_and_its_status_is_ours(docker_workshop: DockerWorkshop) -> None:
    done = subprocess.run(
        docker_workshop.command(*SHELL), cwd=docker_workshop.folder, text=True, check=False,
        env=docker_workshop.environment, input="pwd\nid -u\necho wrong >&2\nexit 3\n",
        capture_output=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert done.stdout.split() == ["/cell", str(os.getuid() or 65532)]
    assert done.stderr.endswith("wrong\n")


def test_on_a_terminal_it_is_a_terminal(docker_workshop: DockerWorkshop) -> None:
    docker_workshop("images", "build", "alpha", "--engine", "docker")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        docker_workshop.command(*SHELL), cwd=docker_workshop.folder, stdin=theirs, stdout=theirs,
        stderr=theirs, env={**docker_workshop.environment, "TERM": "dumb"}, close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    printed = b""
    os.set_blocking(ours, False)
    end = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < end:
        try:
            printed += os.read(ours, 4096)
        except OSError:
            time.sleep(0.05)
        if b"(alpha) $ " in printed and b"tty" not in printed:
            os.write(ours, b"tty; exit 4\r")
            printed += b"tty"
    process.kill()
    os.close(ours)
    assert process.wait(30) == 4, printed.decode()
    assert b"/dev/pts/" in printed
