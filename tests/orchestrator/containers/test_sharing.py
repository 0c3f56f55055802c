"""Which of our folders a daemon can mount, and under which name it knows them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.manifest import Mount
from orchestrator.engines.base import Order
from orchestrator.engines.docker import mounts
from orchestrator.engines.docker.daemon import Daemon, connect
from orchestrator.engines.docker.mounts import Sharing
from tests.fakes.daemon import FakeDaemon

MOUNTS = [
    {"Type": "bind", "Source": "/home/me/project", "Destination": "/srv"},
    {"Type": "bind", "Source": "/big/disk", "Destination": "/srv/runs"},
    {"Type": "volume", "Source": "/var/lib/docker/volumes/c/_data", "Destination": "/cache"},
    {"Type": "tmpfs", "Source": "", "Destination": "/srv/tmp"},
    {"Type": "bind", "Source": "/run/docker.sock", "Destination": "/var/run/docker.sock"},
]


@pytest.fixture
def shared(
    fake_daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[bool], Sharing]]:
    """Makes the Sharing of an orchestrator on a machine, or in a container."""
    connections: list[Daemon] = []

    def make(contained: bool = False) -> Sharing:
        monkeypatch.setattr(mounts, "_in_container", lambda: contained)
        connections.append(connect())
        return Sharing(connections[-1], "0123")

    yield make
    for daemon in connections:
        daemon.client.close()


def ourselves(daemon: FakeDaemon, **config: Any) -> None:
    """Have the daemon know a container of our host's name."""
    name = os.uname().nodename
    config = {"Hostname": name, **config}
    daemon.answers[f"/containers/{name}/json"] = {
        "Config": config, "Mounts": MOUNTS, "HostConfig": {"Tmpfs": {"/srv/fast": "rw"}},
    }  # fmt: skip


def test_on_a_machine_every_folder_is_mounted_under_its_own_name(shared: Any) -> None:
    assert shared().host_path(Path("/anywhere/at all")) == "/anywhere/at all"


def test_a_daemon_elsewhere_sees_nothing_of_ours(shared: Any) -> None:
    made = shared()
    made._daemon.shares_files = False
    assert made.host_path(Path("/anywhere")) is None


@pytest.mark.parametrize(
    ("folder", "known_as"),
    [
        ("/srv/studies/toy", "/home/me/project/studies/toy"),
        ("/srv", "/home/me/project"),
        ("/srv/runs/toy/cells/0", "/big/disk/toy/cells/0"),
        ("/srv/runs2", "/home/me/project/runs2"),
        ("/cache/data/digits", "/var/lib/docker/volumes/c/_data/data/digits"),
        ("/srv/tmp/x", None),  # in our memory alone
        ("/srv/fast/x", None),
        ("/opt/elsewhere", None),  # in our own layer
        ("/", None),
    ],
)
def test_in_a_container_folders_have_the_names_that_the_daemon_knows(
    shared: Any, fake_daemon: FakeDaemon, folder: str, known_as: str | None
) -> None:
    ourselves(fake_daemon)
    assert shared(contained=True).host_path(Path(folder)) == known_as


def test_what_the_daemon_cannot_mount_travels_in_a_volume(
    shared: Any, fake_daemon: FakeDaemon
) -> None:
    ourselves(fake_daemon)
    order = Order(
        run="toy", cell="0", folder=Path("/srv/runs/toy/cells/0"), data=Path("/opt/pack"),
        weights=Path("/srv/tmp/parent"), threads=1,
    )  # fmt: skip
    assert shared(contained=True).mounts(order) == [
        Mount(target="/cell", kind="bind", read_only=False),
        Mount(target="/data", kind="volume", read_only=True),
        Mount(target="/weights", kind="volume", read_only=True),
    ]


def test_in_a_container_of_another_daemon_nothing_is_known(
    shared: Any, fake_daemon: FakeDaemon
) -> None:
    """It would mount folders of the same name on its own machine."""
    fake_daemon.answers["/info"]["DockerRootDir"] = "/nowhere/docker"
    assert shared(contained=True).host_path(Path("/srv")) is None


def test_a_container_that_only_has_our_hosts_name_is_not_ours(
    shared: Any, fake_daemon: FakeDaemon
) -> None:
    fake_daemon.answers["/info"]["DockerRootDir"] = "/nowhere/docker"
    ourselves(fake_daemon, Hostname="another")
    assert shared(contained=True).host_path(Path("/srv")) is None


def test_what_only_looks_like_a_container_sees_the_daemons_own_folder(
    shared: Any, fake_daemon: FakeDaemon, tmp_path: Path
) -> None:
    fake_daemon.answers["/info"]["DockerRootDir"] = str(tmp_path)
    assert shared(contained=True).host_path(Path("/srv")) == "/srv"
