"""What differs where the daemon is Podman's, by the answers that Podman 4.3.1 gives."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import InputError, MachineError
from orchestrator.engines.docker import address, settings
from orchestrator.engines.docker.address import find_address
from orchestrator.engines.docker.builds import _STEP
from orchestrator.engines.docker.daemon import Daemon, connect
from orchestrator.engines.docker.engine import DockerEngine
from orchestrator.engines.docker.examination import examine
from orchestrator.engines.docker.reaping import Identity
from orchestrator.environments.images import ContainerNeeds
from orchestrator.planning.resources import allot
from tests.fakes.daemon import FakeDaemon
from tests.orchestrator.containers.podman import INFO, VERSION, cell_order

Connect = Callable[..., Daemon]


@pytest.fixture
def podman(fake_daemon: FakeDaemon) -> Iterator[Connect]:
    """Connects to a Podman whose ``info`` has some other words."""
    made: list[Daemon] = []

    def answering(**info: Any) -> Daemon:
        fake_daemon.answers |= {"/version": VERSION, "/info": {**INFO, **info}}
        made.append(connect())
        return made[-1]

    yield answering
    for daemon in made:
        daemon.client.close()


@pytest.mark.parametrize(
    ("rootless", "words"), [(False, "Podman 4.3.1 rootful"), (True, "Podman 4.3.1 rootless")]
)
def test_it_is_called_what_it_is(podman: Connect, rootless: bool, words: str) -> None:
    daemon = podman(Rootless=rootless)
    assert (daemon.words, daemon.rootless) == (words, rootless)
    assert (daemon.product, daemon.service) == ("Podman", "Podman's service")


def test_docker_is_still_called_docker(fake_daemon: FakeDaemon) -> None:
    fake_daemon.answers["/version"] |= {"Components": [{"Name": "Engine"}, {"Name": "containerd"}]}
    daemon = connect()
    assert (daemon.podman, daemon.service) == (False, "the Docker daemon")
    daemon.client.close()


def test_its_name_stays_although_it_tells_another_id_each_time(podman: Connect) -> None:
    first, second = podman(ID="08df0543"), podman(ID="c45da40a")
    assert first.id == second.id
    assert podman(DockerRootDir="/home/other/.local/share/containers/storage").id != first.id
    assert podman(Name="another").id != first.id


def test_the_locks_of_two_orchestrators_lie_in_one_folder(podman: Connect, tmp_path: Path) -> None:
    for id in ("08df0543", "c45da40a"):
        with Identity(podman(ID=id)).held():
            pass
    (folder,) = (tmp_path / "cache" / "orchestrators").iterdir()
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize(
    ("info", "limits"),
    [
        ({"Rootless": False, "CgroupVersion": "1", "MemoryLimit": True}, True),
        ({"Rootless": True, "CgroupVersion": "1", "MemoryLimit": True}, False),
        ({"Rootless": True, "CgroupVersion": "2", "MemoryLimit": True}, True),
        ({"Rootless": True, "CgroupVersion": "2", "MemoryLimit": False}, False),
        ({"Rootless": False, "CgroupVersion": "1", "MemoryLimit": False}, False),
    ],
)
def test_whether_its_limits_hold_anybody(
    podman: Connect, info: dict[str, Any], limits: bool
) -> None:
    daemon = podman(**info)
    described = settings.describe(daemon, ContainerNeeds(), cell_order(), [])
    assert daemon.limits_memory is limits
    assert described.memory_bytes == (7730941132 if limits else None)
    assert described.pids_limit == (4096 if limits else None)
    assert (described.product, described.rootless) == ("Podman", info["Rootless"])


def test_without_root_a_cell_is_root_inside_and_its_daemon_s_user_outside(
    podman: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = (os.getuid(), os.getgid())
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    daemon = podman(Rootless=True)
    described = settings.describe(daemon, ContainerNeeds(), cell_order(), [])
    asked = settings.arguments(daemon, described, {}, {})
    assert (asked["user"], asked["userns_mode"]) == ("0:0", None)
    assert settings.outside(daemon) == owner


def test_it_raises_no_limit_of_its_own(podman: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CAP_SYS_RESOURCE that fails at the start of a container."""
    limits = {resource.RLIMIT_NOFILE: (1024, 20000), resource.RLIMIT_NPROC: (99, 10**9)}
    monkeypatch.setattr(resource, "getrlimit", lambda name: limits[name])
    monkeypatch.setattr(settings, "_number", lambda path: 32768)
    daemon = podman()
    described = settings.describe(daemon, ContainerNeeds(), cell_order(), [])
    assert settings.arguments(daemon, described, {}, {})["ulimits"] == [
        {"Name": "core", "Soft": 0, "Hard": 0},
        {"Name": "nofile", "Soft": 20000, "Hard": 20000},
        {"Name": "nproc", "Soft": 32768, "Hard": 32768},
    ]


def test_with_root_a_cell_is_who_it_is_with_docker(
    podman: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 0)
    monkeypatch.delenv("SUDO_UID", raising=False)
    daemon = podman()
    assert settings.caller(daemon) == settings.outside(daemon) == (65532, 65532)


def test_memory_is_refused_where_nobody_is_held_to_it(podman: Connect) -> None:
    podman(Rootless=True)
    engine = DockerEngine()
    with pytest.raises(InputError) as refused:
        allot(engine, (), None, 300 * 2**20, 0)
    assert str(refused.value) == (
        "--memory: the kernel holds nobody to a limit of Podman 4.3.1 rootless (no control group "
        "of its own). Leave it out, or use an engine that runs with root"
    )
    engine.daemon.client.close()


def test_doctor_names_it_and_says_whether_limits_hold(podman: Connect) -> None:
    podman(Rootless=True)
    found = {finding.what: finding for finding in examine()}
    assert found["docker"].detail == "Podman 4.3.1 rootless, API 1.41"
    assert (found["container limits"].state, found["container limits"].detail) == (
        "note", "memory and processes are not limited: without root, control groups version 1",
    )  # fmt: skip
    podman(Rootless=False)
    found = {finding.what: finding for finding in examine()}
    assert found["container limits"].detail == "enforced (control groups, version 1)"


def test_what_it_refuses_is_its_refusal(podman: Connect, fake_daemon: FakeDaemon) -> None:
    daemon = podman()
    fake_daemon.answers["/containers/json"] = (500, "out of order")
    with pytest.raises(MachineError) as refused, daemon.explained():
        daemon.client.api.containers()
    assert str(refused.value) == "Podman's service refused: out of order"


@pytest.mark.parametrize(
    ("line", "step"),
    [
        ("Step 2/9 : COPY a b", ("2", "9")),
        ("STEP 2/9: COPY a b", ("2", "9")),
        ("[1/2] STEP 2/9: COPY a b", ("2", "9")),
    ],
)
def test_steps_of_a_build_are_read(line: str, step: tuple[str, str]) -> None:
    found = _STEP.match(line)
    assert found is not None and (found[1], found[2]) == step


def test_its_sockets_are_found_after_docker_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    places = [tmp_path / "docker.sock", own / "docker.sock", own / "podman" / "podman.sock",
              tmp_path / "podman.sock"]  # fmt: skip
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(own))
    monkeypatch.setattr(address, "_SYSTEM", places[0])
    monkeypatch.setattr(address, "_PODMAN", places[3])
    (own / "podman").mkdir(parents=True)
    for path in reversed(places):
        path.touch()
        expected = "/var/run/docker.sock" if path == places[0] else str(path)
        assert find_address().url == f"unix://{expected}"


def test_a_socket_that_may_be_used_comes_before_one_that_may_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "_SYSTEM", tmp_path / "docker.sock")
    monkeypatch.setattr(address, "_PODMAN", tmp_path / "podman.sock")
    (tmp_path / "docker.sock").touch()
    (tmp_path / "podman.sock").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: path.name != "docker.sock")
    assert find_address().url == f"unix://{tmp_path}/podman.sock"
    (tmp_path / "podman.sock").unlink()
    assert find_address().url == "unix:///var/run/docker.sock"
