"""The host side in a container: it drives the mounted socket, and its paths are translated."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from manifests.codec import read_manifest
from orchestrator.engines.docker.daemon import Daemon
from orchestrator.engines.docker.mounts import DATA_LABEL
from tests.conftest import ROOT
from tests.docker.conftest import BASE, DockerWorkshop

pytestmark = pytest.mark.docker
USER = 12345


@pytest.fixture(scope="module")
def host_image(daemon: Daemon) -> str:
    """The name of the image, built by the command that the README names."""
    done = subprocess.run(
        ["repliquant", "images", "host", "--base", BASE], cwd=ROOT, capture_output=True, text=True,
        env={**os.environ, "DOCKER_HOST": daemon.address}, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def in_container(
    workshop: DockerWorkshop, image: str, *arguments: str, cache: bool = True, **more: Any
) -> str:
    """Run the command line in its container, as an ordinary user; what it said.

    ``cache``: whether a folder of the workshop is mounted for it.
    """
    socket = workshop.daemon.address.removeprefix("unix://")
    folder = workshop.folder
    docker = workshop.daemon.client
    volumes = [
        f"{socket}:/var/run/docker.sock", f"{folder}/runs:/srv/runs",
        f"{folder}/studies:/studies:ro", f"{folder}/images:/images:ro",
    ]  # fmt: skip
    environment = {"REPLIQUANT_STUDIES": "/studies", "REPLIQUANT_IMAGES": "/images"}
    if cache:
        volumes += [f"{folder}/inside:/srv/cache", f"{folder}/cache/wheels:/srv/cache/wheels"]
    else:
        environment["REPLIQUANT_CACHE"] = "/tmp/cache"
    container = docker.containers.create(
        image, list(arguments), user=f"{USER}:{USER}", network_mode="none",
        group_add=[os.stat(socket).st_gid], volumes=volumes, environment=environment, **more,
    )  # fmt: skip
    try:
        container.start()
        ended = container.wait(timeout=300)
        said = str(container.logs().decode())
    finally:
        container.remove(force=True, v=True)
    assert ended["StatusCode"] == 0, said
    return said


@pytest.fixture
def reachable(docker_workshop: DockerWorkshop) -> DockerWorkshop:
    """A workshop whose images are built and whose folders the user inside can use."""
    if not docker_workshop.daemon.shares_files:
        pytest.skip("the daemon's socket can't be mounted from here")
    docker_workshop("images", "build", "alpha", "beta", "--engine", "docker")
    for name in ("runs", "inside"):
        folder = docker_workshop.folder / name
        folder.mkdir(exist_ok=True)
        os.chown(folder, USER, USER)
    made_reachable(docker_workshop.folder)
    return docker_workshop


def kinds(workshop: DockerWorkshop) -> dict[str, str]:
    """How each folder got into the cells' containers, by its place there."""
    contexts = [read_manifest(path).context for path in workshop.manifests()]
    containers = [c.container for c in contexts if c is not None and c.container is not None]
    return {mount.target: mount.kind for made in containers for mount in made.mounts}


def test_a_study_runs_from_a_container(reachable: DockerWorkshop, host_image: str) -> None:
    said = in_container(reachable, host_image, "run", "toy")
    assert "engine docker" in said
    found = [read_manifest(path) for path in reachable.manifests()]
    assert [manifest.status for manifest in found] == ["ok"] * 6
    assert {kinds(reachable)[place] for place in ("/cell", "/data", "/weights")} == {"bind"}
    owners = {path.stat().st_uid for path in (reachable.folder / "runs").rglob("*")}
    assert owners == {USER}


def test_what_is_not_mounted_travels_by_archive(reachable: DockerWorkshop, host_image: str) -> None:
    """Here the cache, which dies with the container; whose host name is not what Docker gave."""
    client = reachable.daemon.client
    before = {volume.name for volume in client.volumes.list(filters={"label": DATA_LABEL})}
    try:
        arguments = ("run", "toy", "--engine", "docker", "-k", "alpha")
        in_container(reachable, host_image, *arguments, cache=False, hostname="elsewhere")
        found = [read_manifest(path) for path in reachable.manifests()]
        assert [manifest.status for manifest in found] == ["ok"] * 3
        assert kinds(reachable)["/data"] == "volume" and kinds(reachable)["/cell"] == "bind"
    finally:
        for volume in client.volumes.list(filters={"label": DATA_LABEL}):
            if volume.name not in before:
                volume.remove()


def made_reachable(folder: Path) -> None:
    """pytest's folders are their owner's alone."""
    for path in (folder, *folder.parents[:3]):
        if path.stat().st_uid == os.getuid() and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
