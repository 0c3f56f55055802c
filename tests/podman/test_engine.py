"""Cells in Podman's containers, rootful and rootless: hardened, reaped, judged, ours."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from manifests.codec import read_manifest
from manifests.manifest import Manifest
from orchestrator.engines.docker.daemon import Daemon
from tests.docker.conftest import wait_for
from tests.podman.conftest import PodmanWorkshop

pytestmark = pytest.mark.podman
TRAINING = ("-k", "alpha and train")


def manifests(workshop: PodmanWorkshop) -> list[Manifest]:
    return [read_manifest(path) for path in workshop.manifests()]


@contextlib.contextmanager
def inspecting(workshop: PodmanWorkshop) -> Iterator[dict[str, dict[str, Any]]]:
    """What Podman itself shows of each container meanwhile, by name."""
    api = workshop.daemon.client.api
    seen: dict[str, dict[str, Any]] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            for name in workshop.left():
                with contextlib.suppress(docker.errors.NotFound):
                    url = f"{api.base_url}/v4.0.0/libpod/containers/{name}/json"
                    found = api.get(url).json()
                    if found.get("State", {}).get("Running"):
                        seen[name] = found

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()


def test_a_cell_is_hardened_and_what_it_leaves_is_ours(podman_workshop: PodmanWorkshop) -> None:
    daemon = podman_workshop.daemon
    podman_workshop.write(behave="look", seconds=1.0)
    with inspecting(podman_workshop) as seen:
        done = podman_workshop.run("-k", "alpha")
    found = manifests(podman_workshop)
    assert [m.status for m in found] == ["ok", "ok"], done.stderr
    assert all(path.stat().st_uid == os.getuid() for path in podman_workshop.runs.rglob("*"))
    assert len(seen) == 2
    for state in seen.values():
        assert_hardened(state)
        if daemon.limits_memory:
            assert state["HostConfig"]["Memory"] == int(0.9 * daemon.memory_bytes)
            assert state["HostConfig"]["PidsLimit"] == 4096
    told = [line.split(": it ")[1] for line in done.stderr.splitlines() if ": it " in line]
    # Without root it is root inside already: that is Podman's user outside, with no capability.
    assert told == (["becomes root"] if daemon.rootless else [])
    assert f"runs as {'0:0' if daemon.rootless else '65532:65532'}" in done.stderr
    for manifest in found:
        assert_named(manifest, daemon)


def assert_hardened(state: dict[str, Any]) -> None:
    """By what ``podman inspect`` shows."""
    host = state["HostConfig"]
    assert host["ReadonlyRootfs"] is True and host["Privileged"] is False
    assert host["NetworkMode"] == "none"
    assert state["EffectiveCaps"] in (None, []) and state["BoundingCaps"] in (None, [])
    assert host["SecurityOpt"] == ["no-new-privileges"]
    mounts = {m["Destination"]: m["RW"] for m in state["Mounts"]}
    assert mounts.pop("/cell") is True
    assert set(mounts) <= {"/data", "/weights", "/etc/passwd"} and not any(mounts.values())


def assert_named(manifest: Manifest, daemon: Daemon) -> None:
    """The manifest says whose container it was."""
    assert manifest.context is not None and manifest.context.container is not None
    settings = manifest.context.container
    assert (settings.product, settings.engine_version) == ("Podman", daemon.version)
    assert settings.rootless is daemon.rootless
    assert (settings.memory_bytes is not None) is daemon.limits_memory
    assert manifest.context.image.digest is None  # no registry has it


def test_what_a_killed_orchestrator_leaves_is_reaped(podman_workshop: PodmanWorkshop) -> None:
    """Podman tells another id at each call: by that nobody's container would ever be found."""
    podman_workshop.write(seconds=600)
    process = podman_workshop.start(*TRAINING)
    wait_for(lambda: "work" in podman_workshop.events(), "the work has not begun")
    (name,) = podman_workshop.left()
    container = podman_workshop.daemon.client.containers.get(name)
    process.kill()
    process.communicate()

    def state() -> str:
        container.reload()
        return str(container.status)

    wait_for(lambda: state() == "exited", "it outlived its orchestrator")
    assert container.attrs["State"]["ExitCode"] == 125
    podman_workshop.write(seconds=0)
    done = podman_workshop.run(*TRAINING)
    assert "removed 1 container that a dead orchestrator left" in done.stderr
    assert podman_workshop.left() == []


def test_what_runs_out_of_memory_is_told_so_where_limits_hold(
    podman_workshop: PodmanWorkshop,
) -> None:
    podman_workshop.write(behave="memory")
    podman_workshop.run(*TRAINING)
    limited = ("-k", "alpha and infer", "--memory", "192m")
    if not podman_workshop.daemon.limits_memory:
        refused = podman_workshop.run(*limited, status=2)
        assert "--memory: the kernel holds nobody to a limit of Podman" in refused.stderr
        return
    podman_workshop.run(*limited, status=1)
    (found,) = [m for m in manifests(podman_workshop) if m.cell.task == "infer"]
    assert found.status == "oom"
    assert found.reason.startswith("the kernel ended it: its control group ran out of its memory")


@pytest.mark.parametrize("podman", ["rootful"], indirect=True)
def test_a_container_that_can_t_be_started_is_no_success(podman_workshop: PodmanWorkshop) -> None:
    image = podman_workshop.folder / "studies" / "toy" / "study.toml"
    image.write_text(image.read_text().replace('alpha = "alpha"', 'alpha = "pythonless"'))
    podman_workshop.run(*TRAINING, status=1)
    (found,) = manifests(podman_workshop)
    assert (found.status, found.transient) == ("unsupported", True)
    assert found.reason.startswith("its container can't be started: ")


LOOK = """
import os, socket
def can(what):
    try:
        what()
        return "can"
    except OSError:
        return "can't"
print(os.getcwd(), os.getuid())
print(can(lambda: open("/cell/kept", "w")), can(lambda: open("/opt/x", "w")))
print(can(lambda: socket.create_connection(("192.0.2.1", 80), 1)), os.environ["HOME"])
raise SystemExit(7)
"""


def test_a_shell_has_what_a_cell_has(podman_workshop: PodmanWorkshop) -> None:
    command = ("images", "shell", "alpha", "--engine", "docker", "--")
    done = podman_workshop(*command, "python", "-c", LOOK, status=7)
    user = "0" if podman_workshop.daemon.rootless else "65532"
    assert done.stdout.split() == ["/cell", user, "can", "can't", "can't", "/tmp"]
    refused = podman_workshop(*command, "no-such-program", status=2)
    assert "'no-such-program' is not in this image." in refused.stderr
