"""What the Docker engine says of itself and of an image, by what the daemon says."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from machine.allotment import allotment
from manifests.errors import MachineError
from orchestrator.engines.docker import builds
from orchestrator.engines.docker import engine as engine_module
from orchestrator.engines.docker.engine import DockerEngine, _refusal
from orchestrator.engines.registry import make_engine
from orchestrator.environments.images import Image, load_image
from tests.conftest import Workshop
from tests.fakes.daemon import FakeDaemon
from tests.fakes.studies import write_image

CDI = [{"Source": "cdi", "ID": f"nvidia.com/gpu={name}"} for name in ("0", "1", "GPU-0a1b", "all")]


@pytest.fixture
def engine(fake_daemon: FakeDaemon) -> Iterator[Callable[..., DockerEngine]]:
    """Makes an engine whose daemon has this to say."""
    made: list[DockerEngine] = []

    def make(**info: Any) -> DockerEngine:
        fake_daemon.answers["/info"] |= info
        engine = make_engine("docker")
        assert isinstance(engine, DockerEngine)
        made.append(engine)
        return engine

    yield make
    for each in made:
        each.daemon.client.close()


@pytest.fixture
def small(tmp_path: Path) -> Image:
    folder = write_image(tmp_path, "small")
    (folder / "Dockerfile").write_text("ARG BASE=python:3.11\n")
    return load_image("small", tmp_path / "images")


@pytest.mark.filterwarnings("error")
def test_an_engine_that_nobody_keeps_leaves_no_connection(fake_daemon: FakeDaemon) -> None:
    before = sockets()
    make_engine("docker")
    gc.collect()
    assert sockets() == before


def sockets() -> int:
    links = (os.readlink(f"/proc/self/fd/{number}") for number in open_files())
    return sum(link.startswith("socket:") for link in links)


def open_files() -> list[str]:
    return [n for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}")]


def test_processors_are_the_daemons(engine: Any) -> None:
    assert engine(NCPU=3).cpus() == [0, 1, 2]


def test_gpus_are_those_that_the_daemon_names(engine: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "visible_gpus", lambda: allotment(4, {}))
    assert engine(DiscoveredDevices=CDI).gpus() == ["0", "1"]


def test_gpus_are_this_machines_where_the_daemon_names_none(
    engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "visible_gpus", lambda: allotment(2, {}))
    assert engine().gpus() == ["0", "1"]
    elsewhere = engine()
    elsewhere.daemon.shares_files = False
    assert elsewhere.gpus() == []


def test_an_image_is_ready_or_what_it_would_take(
    engine: Any, fake_daemon: FakeDaemon, small: Image
) -> None:
    made = engine()
    assert made.status(small) == "not built; about 0 MB to download"
    fake_daemon.answers[f"/images/{builds.tag(small)}/json"] = {"Id": "sha256:1", "Config": {}}
    assert made.status(small) == "ready"
    small.dockerfile.unlink()
    assert made.status(small) == "has no Dockerfile"


def test_a_daemon_that_goes_away_meanwhile_is_one_sentence(
    engine: Any, fake_daemon: FakeDaemon, small: Image
) -> None:
    made = engine()
    fake_daemon.answers[f"/images/{builds.tag(small)}/json"] = b""
    with pytest.raises(MachineError, match=r"^[^\n]*\. Check DOCKER_HOST and the docker context$"):
        made.status(small)


def test_images_are_listed_whatever_is_missing_of_one(
    workshop: Workshop, fake_daemon: FakeDaemon
) -> None:
    workshop.environment["DOCKER_HOST"] = fake_daemon.url
    (workshop.folder / "images" / "beta" / "Dockerfile").write_text("ARG BASE=python:3.11\n")
    told = workshop("images", "list", "--engine", "docker").stdout
    assert told.count("has no Dockerfile") == 2
    assert "not built" in told


def test_a_folder_that_the_containers_user_cannot_enter_is_told_with_the_next_step() -> None:
    said = "making volume mountpoint for /root/.cache/x: mkdir /root/.cache: permission denied"
    assert _refusal(said).startswith(f"its container can't be started: {said}; the user whose ")
    assert "(REPLIQUANT_CACHE, REPLIQUANT_RUNS)" in _refusal(said)
    assert _refusal("no space left") == "its container can't be started: no space left"
