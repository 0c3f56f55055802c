"""Cells in containers: what they may do, what is left of them, what their manifests say."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import docker
import msgspec
import pytest

from manifests.codec import read_manifest
from manifests.manifest import Manifest
from tests.docker.conftest import DockerWorkshop, wait_for

pytestmark = pytest.mark.docker


def manifests(workshop: DockerWorkshop) -> list[Manifest]:
    return [read_manifest(path) for path in workshop.manifests()]


def test_a_study_runs_in_containers(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.run("--tables")
    found = manifests(docker_workshop)
    assert [m.status for m in found] == ["ok"] * 6
    assert all(path.stat().st_uid == os.getuid() for path in docker_workshop.runs.rglob("*"))
    context = found[0].context
    assert context is not None and context.engine == "docker"
    assert context.image.kind == "container" and context.image.id.startswith("sha256:")


@contextlib.contextmanager
def inspecting(workshop: DockerWorkshop) -> Iterator[dict[str, dict[str, Any]]]:
    """What ``docker inspect`` shows of each of the workshop's containers meanwhile, by name."""
    api = workshop.daemon.client.api
    seen: dict[str, dict[str, Any]] = {}
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            for name in workshop.left():
                with contextlib.suppress(docker.errors.NotFound):
                    seen[name] = api.inspect_container(name)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield seen
    finally:
        over.set()
        looking.join()


def test_every_setting_is_what_docker_inspect_shows(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=1.0)
    with inspecting(docker_workshop) as seen:
        docker_workshop.run("-k", "alpha", "--cpus", "0", "--memory", "200m")
    assert len(seen) == 3
    for state in seen.values():
        host, config = state["HostConfig"], state["Config"]
        assert config["User"] not in ("", "0", "0:0", "root")
        assert host["NetworkMode"] == "none"
        assert host["ReadonlyRootfs"] is True
        assert host["CapDrop"] == ["ALL"] and not host["CapAdd"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["PidsLimit"] == 4096
        assert host["Memory"] == host["MemorySwap"] == 200 * 2**20
        assert host["CpusetCpus"] == "0"
        assert host["Privileged"] is False and not host["Devices"]
        assert host["PidMode"] == "" and host["IpcMode"] in ("private", "none")
        assert host["LogConfig"]["Type"] == "none"
        assert set(host["Tmpfs"]) == {"/tmp"} and "nosuid" in host["Tmpfs"]["/tmp"]
        assert not host["Binds"]
        mounts = {m["Destination"]: m["RW"] for m in state["Mounts"]}
        assert mounts.pop("/cell") is True
        assert set(mounts) <= {"/data", "/weights", "/etc/passwd"} and not any(mounts.values())
        assert "docker.sock" not in msgspec.json.encode(state["Mounts"]).decode()


def test_the_manifest_holds_the_settings(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.run("-k", "alpha and train", "--memory", "300m")
    context = manifests(docker_workshop)[0].context
    assert context is not None and context.container is not None
    settings = context.container
    assert settings.engine_version == docker_workshop.daemon.version
    assert (settings.network, settings.read_only_root) == ("none", True)
    assert settings.memory_bytes == 300 * 2**20
    assert [(m.target, m.kind, m.read_only) for m in settings.mounts] == [
        ("/cell", "bind", False), ("/data", "bind", True), ("/etc/passwd", "bind", True),
        ("/tmp", "tmpfs", False),
    ]  # fmt: skip


def test_a_container_can_do_none_of_what_it_must_not(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(behave="look")
    done = docker_workshop.run("-k", "alpha and batch_size==1")
    told = [line for line in done.stderr.splitlines() if ": it " in line]
    assert told == []
    user = f"{os.getuid()}:{os.getgid()}" if os.getuid() else "65532:65532"
    assert f"runs as {user}" in done.stderr


def test_whoever_it_runs_as_has_a_name_and_every_cache_a_place(
    docker_workshop: DockerWorkshop,
) -> None:
    docker_workshop.write(behave="account")
    done = docker_workshop.run("-k", "alpha and batch_size==1")
    assert {m.status for m in manifests(docker_workshop)} == {"ok"}
    assert "account: repliquant repliquant" in done.stderr
    places = (
        "HOME", "TMPDIR", "XDG_CACHE_HOME", "CUDA_CACHE_PATH", "TRITON_CACHE_DIR",
        "TORCHINDUCTOR_CACHE_DIR", "TORCH_EXTENSIONS_DIR", "NUMBA_CACHE_DIR", "MPLCONFIGDIR",
    )  # fmt: skip
    for place in places:
        assert f"writes to {place}" in done.stderr, place


def test_ctrl_c_ends_the_container_and_keeps_the_word(docker_workshop: DockerWorkshop) -> None:
    docker_workshop.write(seconds=30.0)
    process = docker_workshop.start("-k", "alpha and train")
    wait_for(lambda: "work" in docker_workshop.events(), "the work has not begun")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    found = manifests(docker_workshop)
    assert [m.status for m in found] == ["cancelled"]
    assert found[0].reason == "interrupted"
