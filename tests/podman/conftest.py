"""Podman's services that the tests drive, as root and as an ordinary user (`just podman-up`).

Where one doesn't answer, its tests are skipped with the reason; REPLIQUANT_TEST_PODMAN=1 turns
that into a failure.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from manifests.errors import RepliquantError
from orchestrator.engines.docker.daemon import Daemon, connect
from tests.docker.conftest import BASE, DockerWorkshop
from tests.docker.faults import write_bad_images

USER = "repliquant-podman"
KINDS = ("rootful", "rootless")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One after the other: both services share the processors, and docker-py leaves sockets."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("podman"))
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            quiet = "ignore::pytest.PytestUnraisableExceptionWarning"
            item.add_marker(pytest.mark.filterwarnings(quiet))


def _socket(kind: str) -> Path:
    if kind == "rootful":
        return Path("/run/podman/podman.sock")
    try:
        return Path(f"/run/user/{pwd.getpwnam(USER).pw_uid}/podman/podman.sock")
    except KeyError:
        return Path("/nonexistent/podman.sock")


@pytest.fixture(scope="session", params=KINDS)
def podman(request: pytest.FixtureRequest) -> Iterator[Daemon]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("DOCKER_HOST", f"unix://{_socket(request.param)}")
        try:
            found = connect()
            found.client.images.get(BASE)
        except (RepliquantError, docker.errors.DockerException) as error:
            reason = f"NO PODMAN ({request.param}), NOT TESTED: {error}. See `just podman-up`"
            if os.environ.get("REPLIQUANT_TEST_PODMAN") == "1":
                pytest.fail(reason)
            pytest.skip(reason)
    yield found
    found.client.close()


class PodmanWorkshop(DockerWorkshop):
    """A workshop whose study has one cell that trains and one that infers."""

    def write(self, **choices: Any) -> None:
        super().write(**{"batch_sizes": (1,), **choices})
        write_bad_images(self.folder)


@pytest.fixture(scope="session")
def _once(podman: Daemon, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PodmanWorkshop]:
    """A folder that Podman's user may enter, which the folders of other tests are not."""
    folder = Path(tempfile.mkdtemp(prefix="repliquant-podman-"))
    folder.chmod(0o755)
    wheels = tmp_path_factory.mktemp("wheels")
    try:
        made = PodmanWorkshop(folder, podman, wheels)
        made.write()
        build = made.command("images", "build", "alpha", "--engine", "docker")
        subprocess.run(build, cwd=folder, env=made.environment, timeout=600, check=True)
        yield made
        made.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def podman_workshop(_once: PodmanWorkshop) -> Iterator[PodmanWorkshop]:
    """The workshop of one service, with nothing of an earlier test."""
    shutil.rmtree(_once.runs, ignore_errors=True)
    _once.write()
    yield _once
    assert _once.left() == []
