"""The engine ``auto``: which one it is, and the reason that is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from manifests.code_version import CodeVersion
from manifests.manifest import Context, ImageUsed, Manifest
from orchestrator.engines.auto import begun_with, choose_engine
from orchestrator.engines.docker import builds, pulls
from orchestrator.environments.images import Image, load_image
from tests.conftest import Workshop
from tests.fakes.daemon import FakeDaemon
from tests.fakes.studies import write_image
from tests.manifests.samples import a_cell, a_manifest, a_run

BASE = "example.org/python:3.11"
WORDS = "Docker Engine 20.10.24 answers"
FINE = f"{WORDS} and the images are there or can be built"


@pytest.fixture
def images(tmp_path: Path) -> list[Image]:
    """Two images with a Dockerfile."""
    for name in ("alpha", "beta"):
        write_image(tmp_path, name)
        (tmp_path / "images" / name / "Dockerfile").write_text(f"ARG BASE={BASE}\nFROM $BASE\n")
    return [load_image(name, tmp_path / "images") for name in ("alpha", "beta")]


def chosen(images: list[Image]) -> tuple[str, str]:
    choice = choose_engine(images)
    if hasattr(choice.engine, "daemon"):
        choice.engine.daemon.client.close()
    return choice.engine.name, choice.why


def built(daemon: FakeDaemon, *images: Image) -> None:
    for image in images:
        daemon.answers[f"/images/{builds.tag(image)}/json"] = {"Id": "sha256:1", "Config": {}}


def base_here(daemon: FakeDaemon, base: str = BASE) -> None:
    daemon.answers[f"/images/{base}/json"] = {"Id": "sha256:2", "Config": {}}


def base_elsewhere(daemon: FakeDaemon, base: str = BASE) -> None:
    daemon.answers[f"/distribution/{base}/json"] = {"Descriptor": {}}


def test_without_a_daemon_it_is_local(images: list[Image], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    assert chosen(images) == (
        "local",
        "no Docker (no Docker daemon: unix:///nowhere.sock does not exist. "
        "Install Docker, or set DOCKER_HOST)",
    )


def test_with_every_image_built_it_is_docker(images: list[Image], fake_daemon: FakeDaemon) -> None:
    built(fake_daemon, *images)
    assert chosen(images) == ("docker", FINE)
    assert not any("distribution" in path for path in fake_daemon.asked)


@pytest.mark.parametrize("there", [base_here, base_elsewhere])
def test_with_images_that_can_be_built_it_is_docker(
    images: list[Image], fake_daemon: FakeDaemon, there: Callable[[FakeDaemon], None]
) -> None:
    built(fake_daemon, images[0])
    there(fake_daemon)
    assert chosen(images) == ("docker", FINE)


def test_one_image_that_cannot_be_had_makes_it_local(
    images: list[Image], fake_daemon: FakeDaemon
) -> None:
    built(fake_daemon, images[0])
    assert chosen(images) == (
        "local",
        f"{WORDS}, but the base {BASE} of the image beta is neither here nor can be pulled "
        "(REPLIQUANT_BASE names another)",
    )


def test_a_registry_that_does_not_answer_holds_up_no_plan_and_is_asked_once(
    images: list[Image], fake_daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulls, "ANSWER_S", 0.2)
    fake_daemon.answers[f"/distribution/{BASE}/json"] = None
    begin = time.monotonic()
    assert "is neither here nor can be pulled" in chosen(images)[1]
    assert chosen(images)[0] == "local"
    assert time.monotonic() - begin < 10  # docker-py itself would wait for a minute
    assert sum("distribution" in path for path in fake_daemon.asked) == 1


def test_a_registry_that_had_nothing_is_asked_again_after_a_while(
    images: list[Image], fake_daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulls, "AGAIN_S", 0.0)
    assert chosen(images)[0] == "local"
    base_elsewhere(fake_daemon)
    assert chosen(images)[0] == "docker"


@pytest.mark.parametrize("variable", ["REPLIQUANT_BASE", "REPLIQUANT_BASE_BETA"])
def test_another_base_is_looked_for_when_it_is_named(
    images: list[Image], fake_daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    built(fake_daemon, images[0])
    monkeypatch.setenv(variable, "mine:1")
    assert "the base mine:1 of the image beta is neither here" in chosen(images)[1]
    base_here(fake_daemon, "mine:1")
    assert chosen(images) == ("docker", FINE)


def test_without_images_it_is_docker_where_a_daemon_answers(fake_daemon: FakeDaemon) -> None:
    assert chosen([]) == ("docker", FINE)


def test_an_image_that_no_container_was_written_for_makes_it_local(
    images: list[Image], fake_daemon: FakeDaemon
) -> None:
    images[0].dockerfile.unlink()
    assert chosen(images) == ("local", f"{WORDS}, but the image alpha has no Dockerfile")


def test_a_dockerfile_whose_base_cannot_be_chosen_makes_it_local(
    images: list[Image], fake_daemon: FakeDaemon
) -> None:
    images[0].dockerfile.write_text("FROM python:3.11\n")
    assert chosen(images) == (
        "local",
        f"{WORDS}, but {images[0].dockerfile} has no line ARG BASE=IMAGE",
    )


def test_an_image_without_its_lock_makes_it_local(
    images: list[Image], fake_daemon: FakeDaemon
) -> None:
    images[1].lock.unlink()
    built(fake_daemon, images[0])
    name, why = chosen(images)
    assert name == "local"
    assert why.startswith(f"{WORDS}, but {images[1].lock} can't be read (")


def test_a_daemon_that_fails_meanwhile_makes_it_local(
    images: list[Image], fake_daemon: FakeDaemon
) -> None:
    fake_daemon.answers[f"/images/{builds.tag(images[0])}/json"] = (500, "out of order")
    assert chosen(images) == ("local", f"{WORDS}, but the Docker daemon refused: out of order")


def test_a_disk_too_small_for_the_image_makes_it_local(
    images: list[Image], fake_daemon: FakeDaemon, tmp_path: Path
) -> None:
    base_here(fake_daemon)
    fake_daemon.answers["/info"]["DockerRootDir"] = str(tmp_path)
    path = images[1].folder / "image.toml"
    path.write_text(path.read_text().replace("disk_mb = 1", "disk_mb = 500000000"))
    big = load_image("beta", tmp_path / "images")
    free_mb = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize // 2**20
    name, why = chosen([images[0], big])
    assert name == "local"
    needs = "the image beta needs about 1000000000 MB"
    assert why.startswith(f"{WORDS}, but {needs} and {tmp_path} has ")
    assert abs(int(why.split(" ")[-3]) - free_mb) < 10_000


def test_a_run_says_which_engine_it_took_and_why(
    workshop: Workshop, fake_daemon: FakeDaemon
) -> None:
    """The toy's images have no Dockerfile, and as environments they have no runner."""
    workshop.environment["DOCKER_HOST"] = fake_daemon.url
    told = workshop("run", "toy", "-k", "alpha and train", status=1).stderr
    assert f"engine local: {WORDS}, but the image alpha has no Dockerfile" in told


def test_the_doctor_looks_at_every_image_whatever_is_wrong_with_one(
    workshop: Workshop, fake_daemon: FakeDaemon
) -> None:
    workshop.environment["DOCKER_HOST"] = fake_daemon.url
    lock = workshop.folder / "images" / "alpha" / "requirements.txt"
    lock.unlink()
    (workshop.folder / "images" / "alpha" / "Dockerfile").write_text(f"ARG BASE={BASE}\n")
    told = workshop("doctor", "--verbose", status=3).stdout
    assert "image alpha" in told and "image beta" in told
    assert "run: repliquant images lock" in " ".join(told.split())


def ran_with(engine: str, status: str = "ok", batch_size: int = 1) -> Manifest:
    image = ImageUsed(name="alpha", kind="venv")
    context = Context(engine=engine, image=image, kit=CodeVersion(version="1"), run="r")
    return a_manifest(a_cell(batch_size=batch_size), status=status, context=context)


def test_a_run_goes_on_with_its_own_engine_and_nobody_is_asked_for_images(
    tmp_path: Path, fake_daemon: FakeDaemon
) -> None:
    run = a_run(tmp_path, ran_with("docker", "crashed"), ran_with("local", batch_size=2))
    ids = ["0" * 12, *(path.name for path in sorted(run.cells.iterdir()))]
    choice = begun_with(run, ids, [])
    assert choice is not None and choice.engine.name == "local"
    assert choice.why == "as the run was begun; --engine names another"
    assert fake_daemon.asked == []


@pytest.mark.parametrize("engine", ["docker", "from-outside"])
def test_an_engine_that_is_gone_or_not_in_rank_is_chosen_anew(
    engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere.sock")
    found = ran_with(engine)
    assert begun_with(a_run(tmp_path, found), [found.id], []) is None
    assert begun_with(a_run(tmp_path / "new"), [found.id], []) is None


def test_an_engine_that_lacks_an_image_by_now_is_chosen_anew(
    tmp_path: Path, images: list[Image], fake_daemon: FakeDaemon
) -> None:
    run, found = a_run(tmp_path / "run", ran_with("docker")), ran_with("docker").id
    assert begun_with(run, [found], images) is None
    built(fake_daemon, *images)
    choice = begun_with(run, [found], images)
    assert choice is not None and choice.engine.name == "docker"
    choice.engine.daemon.client.close()  # type: ignore[attr-defined]
