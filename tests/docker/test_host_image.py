"""The host side in a container: it drives the mounted socket, and its paths are translated."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from manifests.codec import read_manifest
from orchestrator.containers.daemon import Daemon
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


def in_container(workshop: DockerWorkshop, image: str, *arguments: str) -> str:
    """Run the command line in its container, as an ordinary user; what it said."""
    socket = workshop.daemon.address.removeprefix("unix://")
    folder = workshop.folder
    docker = workshop.daemon.client
    container = docker.containers.create(
        image, list(arguments), user=f"{USER}:{USER}", network_mode="none",
        group_add=[os.stat(socket).st_gid],
        volumes=[
            f"{socket}:/var/run/docker.sock", f"{folder}/runs:/srv/runs",
            f"{folder}/inside:/srv/cache", f"{folder}/studies:/studies:ro",
            f"{folder}/images:/images:ro", f"{folder / 'cache' / 'wheels'}:/srv/cache/wheels",
        ],
        environment={"REPLIQUANT_STUDIES": "/studies", "REPLIQUANT_IMAGES": "/images"},
    )  # fmt: skip
    try:
        container.start()
        ended = container.wait(timeout=300)
        said = str(container.logs().decode())
    finally:
        container.remove(force=True)
    assert ended["StatusCode"] == 0, said
    return said


def test_a_study_runs_from_a_container(docker_workshop: DockerWorkshop, host_image: str) -> None:
    if not docker_workshop.daemon.shares_files:
        pytest.skip("the daemon's socket can't be mounted from here")
    docker_workshop("images", "build", "alpha", "beta", "--engine", "docker")
    for name in ("runs", "inside"):
        folder = docker_workshop.folder / name
        folder.mkdir(exist_ok=True)
        os.chown(folder, USER, USER)
    made_reachable(docker_workshop.folder)
    said = in_container(docker_workshop, host_image, "run", "toy")
    assert "engine docker" in said
    found = [read_manifest(path) for path in docker_workshop.manifests()]
    assert [manifest.status for manifest in found] == ["ok"] * 6
    mounts = found[0].context.container.mounts  # type: ignore[union-attr]
    assert [m.kind for m in mounts if m.target in ("/cell", "/data")] == ["bind", "bind"]
    owners = {path.stat().st_uid for path in (docker_workshop.folder / "runs").rglob("*")}
    assert owners == {USER}


def made_reachable(folder: Path) -> None:
    """pytest's folders are their owner's alone."""
    for path in (folder, *folder.parents[:3]):
        if path.stat().st_uid == os.getuid() and path != Path("/tmp"):
            path.chmod(path.stat().st_mode | 0o055)
