"""Checks of an image that run in a container of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from orchestrator.engines.docker.reaping import OWNER
from tests.docker.conftest import DockerWorkshop, wait_for
from tests.docker.own_images import DOCKER, Images, own_images

pytestmark = pytest.mark.docker


@pytest.fixture
def images(docker_workshop: DockerWorkshop) -> Iterator[Images]:
    with own_images(docker_workshop) as made:
        yield made


CHECKS = """
import os, pwd, socket, sys
print("ok: as", os.getuid(), pwd.getpwuid(os.getuid()).pw_name)
for what, attempt in {
    "writes its root": lambda: os.mkdir("/opt/x"),
    "reaches a network": lambda: socket.create_connection(("192.0.2.1", 80), 2),
    "becomes root": lambda: os.setuid(0),
}.items():
    try:
        attempt()
    except OSError:
        continue
    sys.exit(f"it {what}")
open("/tmp/scratch", "w").write("scratch")
print("noise", file=sys.stderr)
"""


def test_checks_pass_in_a_container_that_may_do_nothing(images: Images) -> None:
    (images.folder / "verify.py").write_text(CHECKS)
    told = images.workshop("images", "verify", "alpha", *DOCKER, status=3).stderr
    assert "alpha is not built; run: repliquant images build alpha" in told
    images.build()
    done = images.workshop("images", "verify", "alpha", *DOCKER)
    user = os.getuid() or 65532
    assert (done.stdout, done.stderr) == (f"alpha:\nok: as {user} repliquant\n", "")


def test_checks_that_fail_show_what_they_print(images: Images) -> None:
    (images.folder / "verify.py").write_text("print('ok: a'); raise SystemExit('no \\x1b[2Jint8')")
    images.build()
    done = images.workshop("images", "verify", "alpha", *DOCKER, status=3)
    assert done.stdout == ""
    assert sorted(done.stderr.splitlines()) == [
        "alpha:", "no \N{REPLACEMENT CHARACTER}[2Jint8", "ok: a"
    ]  # fmt: skip


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_checks_that_are_ended_leave_no_container(images: Images, number: signal.Signals) -> None:
    """Of a killed orchestrator the next run clears it away."""
    (images.folder / "verify.py").write_text("import time; time.sleep(600)")
    images.build()
    process = images.start("verify")
    wait_for(images.containers, "the checks were not begun")
    (container,) = images.containers()
    assert OWNER in container["Labels"]
    host = images.client.api.inspect_container(container["Id"])["HostConfig"]
    assert (host["CapDrop"], host["NetworkMode"], host["ReadonlyRootfs"]) == (["ALL"], "none", True)
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -9), errors
    if number == signal.SIGKILL:
        images.workshop.run("-k", "beta and train")
    assert images.containers() == []
