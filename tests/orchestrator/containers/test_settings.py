"""What a cell's container may do, setting by setting."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.manifest import Container, Mount
from orchestrator.engines.base import Order
from orchestrator.engines.docker import settings
from orchestrator.engines.docker.daemon import Daemon, connect
from orchestrator.environments.images import ContainerNeeds
from tests.fakes.daemon import FakeDaemon

BIND = [Mount(target="/cell", kind="bind", read_only=False)]
PLACES = {
    "HOME": "/tmp", "USER": "repliquant", "TMPDIR": "/tmp",
    "XDG_CACHE_HOME": "/tmp/cache", "CUDA_CACHE_PATH": "/tmp/cache/cuda",
    "TRITON_CACHE_DIR": "/tmp/cache/triton", "TORCHINDUCTOR_CACHE_DIR": "/tmp/cache/inductor",
    "TORCH_EXTENSIONS_DIR": "/tmp/cache/torch_extensions", "NUMBA_CACHE_DIR": "/tmp/cache/numba",
    "MPLCONFIGDIR": "/tmp/cache/matplotlib",
}  # fmt: skip
NVIDIA = {"nvidia": {"path": "nvidia-container-runtime"}, "runc": {"path": "runc"}}
CDI = [{"Source": "cdi", "ID": "nvidia.com/gpu=0"}, {"Source": "cdi", "ID": "nvidia.com/gpu=all"}]


@pytest.fixture
def daemon(fake_daemon: FakeDaemon) -> Iterator[Daemon]:
    made = connect()
    yield made
    made.client.close()


def order(**changes: Any) -> Order:
    plain = Order(
        run="toy-quick", cell="0123456789ab", folder=Path("/runs/toy-quick/cells/0123456789ab"),
        data=None, weights=None, threads=2,
    )  # fmt: skip
    return plain._replace(**changes)


def described(daemon: Daemon, **changes: Any) -> Container:
    return settings.describe(daemon, ContainerNeeds(), order(**changes), BIND)


def given(daemon: Daemon, container: Container) -> dict[str, Any]:
    sources = {m.target: f"/host{m.target}" for m in container.mounts}
    return settings.arguments(daemon, container, sources, {"a": "label"})


def test_the_settings_of_a_plain_cell(daemon: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    monkeypatch.setattr(os, "getgid", lambda: 100)
    assert described(daemon) == Container(
        engine_version="20.10.24",
        api_version="1.41",
        user="1000:100",
        network="none",
        read_only_root=True,
        capabilities_dropped=["ALL"],
        capabilities_added=[],
        security_options=["no-new-privileges:true"],
        pids_limit=4096,
        memory_bytes=7730941132,  # nine tenths of 8 GiB
        shm_bytes=64 * 2**20,
        cpus=[],
        gpus=[],
        gpu_request="",
        mounts=[
            Mount(target="/cell", kind="bind", read_only=False),
            Mount(
                target="/tmp", kind="tmpfs", read_only=False,
                options="rw,exec,nosuid,nodev,size=2048m,mode=1777",
            ),
        ],
        environment=PLACES,
        command=["/cell"],
        product="Docker Engine",
        rootless=False,
    )  # fmt: skip


def test_what_is_described_is_what_the_daemon_gets(daemon: Daemon) -> None:
    container = described(daemon)
    asked = given(daemon, container)
    (mount,) = asked.pop("mounts")
    assert mount == {"Target": "/cell", "Source": "/host/cell", "Type": "bind", "ReadOnly": False}
    (limit,) = asked.pop("ulimits")
    assert limit == {"Name": "core", "Soft": 0, "Hard": 0}
    assert asked.pop("log_config")["Type"] == "none"
    assert asked == {
        "command": container.command,
        "user": container.user,
        "network_mode": "none",
        "read_only": True,
        "cap_drop": ["ALL"],
        "cap_add": [],
        "security_opt": ["no-new-privileges:true"],
        "userns_mode": None,
        "pids_limit": 4096,
        "mem_limit": container.memory_bytes,
        "memswap_limit": container.memory_bytes,  # as much again of swap would be no limit
        "shm_size": 64 * 2**20,
        "cpuset_cpus": None,
        "device_requests": [],
        "tmpfs": {"/tmp": "rw,exec,nosuid,nodev,size=2048m,mode=1777"},
        "environment": PLACES,
        "working_dir": "/tmp",
        "stdin_open": True,
        "labels": {"a": "label"},
    }


def test_a_cell_gets_its_own_folder_to_write_and_the_rest_to_read() -> None:
    folders = settings.targets(order(data=Path("/cache/digits"), weights=Path("/runs/parent")))
    assert folders == {
        "/cell": (Path("/runs/toy-quick/cells/0123456789ab"), False),
        "/data": (Path("/cache/digits"), True),
        "/weights": (Path("/runs/parent"), True),
    }
    assert settings.targets(order()) == {"/cell": (order().folder, False)}


def test_data_and_weights_are_named_by_their_place_in_the_container(daemon: Daemon) -> None:
    command = described(daemon, data=Path("/cache/digits"), weights=Path("/runs/parent")).command
    assert command[-4:] == ["--data", "/data", "--weights", "/weights"]


def test_read_only_folders_are_mounted_so(daemon: Daemon) -> None:
    mounts = [Mount(target="/data", kind="volume", read_only=True)]
    container = settings.describe(daemon, ContainerNeeds(), order(), mounts)
    (mount,) = given(daemon, container)["mounts"]
    expected = {"Target": "/data", "Source": "/host/data", "Type": "volume", "ReadOnly": True}
    assert mount == expected


def test_processors_and_memory_are_those_of_the_cell(daemon: Daemon) -> None:
    container = described(daemon, cpus=(0, 2, 3), memory_bytes=300 * 2**20)
    assert (container.cpus, container.memory_bytes) == ([0, 2, 3], 300 * 2**20)
    asked = given(daemon, container)
    assert asked["cpuset_cpus"] == "0,2,3"
    assert asked["mem_limit"] == asked["memswap_limit"] == 300 * 2**20


def test_what_an_image_needs_beyond_is_what_its_file_says(daemon: Daemon) -> None:
    needs = ContainerNeeds(tmp_mb=512, shm_mb=1024, pids=99, capabilities=["SYS_NICE"])
    container = settings.describe(daemon, needs, order(), BIND)
    asked = given(daemon, container)
    assert asked["tmpfs"]["/tmp"] == "rw,exec,nosuid,nodev,size=512m,mode=1777"
    assert (asked["shm_size"], asked["pids_limit"]) == (2**30, 99)
    assert (asked["cap_drop"], asked["cap_add"]) == (["ALL"], ["SYS_NICE"])
    assert container.capabilities_added == ["SYS_NICE"]


@pytest.mark.parametrize(
    ("info", "way", "there"),
    [
        ({}, "nvidia", False),
        ({"Runtimes": None}, "nvidia", False),
        ({"Runtimes": {"runc": {}}}, "nvidia", False),
        ({"Runtimes": NVIDIA}, "nvidia", True),
        ({"DiscoveredDevices": None}, "nvidia", False),
        ({"DiscoveredDevices": [{"Source": "cdi", "ID": "other.com/fpga=0"}]}, "nvidia", False),
        ({"DiscoveredDevices": CDI}, "cdi", True),
        ({"DiscoveredDevices": CDI, "Runtimes": NVIDIA}, "cdi", True),
    ],
)
def test_how_a_daemon_hands_out_gpus(
    fake_daemon: FakeDaemon, info: dict[str, Any], way: str, there: bool
) -> None:
    fake_daemon.answers["/info"] |= info
    made = connect()
    assert settings.gpu_request(made) == way
    assert settings.has_gpu_runtime(made) is there
    made.client.close()


def test_chosen_gpus_are_asked_for_in_the_older_way(daemon: Daemon) -> None:
    container = described(daemon, gpus=("1", "3"))
    assert (container.gpus, container.gpu_request) == (["1", "3"], "nvidia")
    (request,) = given(daemon, container)["device_requests"]
    assert request == {
        "Driver": "", "Count": 0, "DeviceIDs": ["1", "3"], "Capabilities": [["gpu"]], "Options": {},
    }  # fmt: skip


def test_chosen_gpus_are_asked_for_by_name_where_the_daemon_names_them(
    fake_daemon: FakeDaemon,
) -> None:
    fake_daemon.answers["/info"]["DiscoveredDevices"] = CDI
    made = connect()
    container = described(made, gpus=("0",))
    (request,) = given(made, container)["device_requests"]
    assert request == {
        "Driver": "cdi", "Count": 0, "DeviceIDs": ["nvidia.com/gpu=0"], "Capabilities": [],
        "Options": {},
    }  # fmt: skip
    made.client.close()


@pytest.mark.parametrize(
    ("uid", "sudo", "options", "user"),
    [
        (1000, None, [], (1000, 1000)),
        (1000, ("1001", "1001"), [], (1000, 1000)),  # a variable of no meaning here
        (0, None, [], (65532, 65532)),
        (0, ("1001", "100"), [], (1001, 100)),
        (0, ("0", "0"), [], (65532, 65532)),  # root typed sudo
        (0, ("", ""), [], (65532, 65532)),
        (0, ("-1", "5"), [], (65532, 65532)),
        (0, ("x", "5"), [], (65532, 65532)),
        (1000, None, ["name=rootless"], (0, 0)),
        (0, None, ["name=rootless"], (0, 0)),
        (1000, None, ["name=userns"], (1000, 1000)),
    ],
)
def test_who_a_cell_runs_as(
    fake_daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch, uid: int,
    sudo: tuple[str, str] | None, options: list[str], user: tuple[int, int],
) -> None:  # fmt: skip
    monkeypatch.setattr(os, "getuid", lambda: uid)
    monkeypatch.setattr(os, "getgid", lambda: uid)
    for name, value in zip(("SUDO_UID", "SUDO_GID"), sudo or (None, None), strict=True):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    fake_daemon.answers["/info"]["SecurityOptions"] = options
    made = connect()
    assert settings.caller(made) == user
    made.client.close()


def test_far_away_it_is_the_account_that_images_have(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    daemon.shares_files = False
    assert settings.caller(daemon) == (65532, 65532)


def test_a_daemon_that_gives_out_other_user_numbers_is_asked_not_to(
    fake_daemon: FakeDaemon,
) -> None:
    """Results would belong to somebody who doesn't exist."""
    fake_daemon.answers["/info"]["SecurityOptions"] = ["name=userns"]
    made = connect()
    assert given(made, described(made))["userns_mode"] == "host"
    made.client.close()
