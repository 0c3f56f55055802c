"""What a build is given and what it tells; building itself is tested on a real engine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from manifests.errors import InputError, MachineError
from orchestrator.engines.docker import builds
from orchestrator.engines.docker.daemon import Daemon, connect
from orchestrator.environments.images import Image, load_image
from orchestrator.file_lock import exclusive
from orchestrator.messages import LogLine
from tests.fakes.daemon import FakeDaemon
from tests.fakes.studies import write_image

DOCKERFILE = """\
# the first words
ARG OTHER=1
ARG BASE=docker.io/library/python:3.11@sha256:0123
FROM ${BASE} AS packages
ARG BASE=inner
"""


@pytest.fixture(autouse=True)
def _no_other_base(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("REPLIQUANT_BASE")]:
        monkeypatch.delenv(name)


@pytest.fixture
def daemon(fake_daemon: FakeDaemon) -> Iterator[Daemon]:
    made = connect()
    yield made
    made.client.close()


def image(tmp_path: Path, name: str = "py-25.02") -> Image:
    folder = write_image(tmp_path, name)
    (folder / "Dockerfile").write_text(DOCKERFILE)
    return load_image(name, tmp_path / "images")


def test_the_base_is_the_dockerfiles_unless_a_variable_names_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = image(tmp_path)
    assert builds.base_of(made) == "docker.io/library/python:3.11@sha256:0123"
    monkeypatch.setenv("REPLIQUANT_BASE", "mine:1")
    assert builds.base_of(made) == "mine:1"
    monkeypatch.setenv("REPLIQUANT_BASE_PY_25_02", "mine:2")
    assert builds.base_of(made) == "mine:2"
    assert builds.base_of(image(tmp_path, "other")) == "mine:1"
    monkeypatch.setenv("REPLIQUANT_BASE_PY_25_02", "")
    assert builds.base_of(made) == "mine:1"


def test_a_dockerfile_that_takes_no_base_is_refused(tmp_path: Path) -> None:
    made = image(tmp_path)
    made.dockerfile.write_text("FROM python:3.11\nENV ARG BASE=no\n")
    with pytest.raises(InputError, match=r"Dockerfile has no line ARG BASE=IMAGE"):
        builds.base_of(made)


def followed(tmp_path: Path, *messages: dict[str, Any]) -> list[LogLine]:
    told: list[LogLine] = []
    builds.follow(image(tmp_path, "small"), messages, told.append)
    return told


def test_a_build_tells_every_line_with_the_steps_behind_it(tmp_path: Path) -> None:
    told = followed(
        tmp_path,
        {"stream": "Step 1/3 : ARG BASE=python"},
        {"stream": "\n"},
        {"status": "Pulling from library/python", "id": "3.11"},
        {"status": "Downloading", "progressDetail": {"current": 1, "total": 2}, "id": "a"},
        {"stream": "Step 2/3 : RUN true\n"},
        {"stream": " ---> Running in 0123\nfirst\nsecond\n"},
        {"aux": {"ID": "sha256:1"}},
        {"stream": "Step 3/3 : USER 1\n"},
        {"stream": "x" * 500},
    )
    assert [(note.text, note.done, note.of) for note in told] == [
        ("small: Step 1/3 : ARG BASE=python", 0, 3),
        ("small: Pulling from library/python", 0, 3),
        ("small: Downloading", 0, 3),
        ("small: Step 2/3 : RUN true", 1, 3),
        ("small: ---> Running in 0123", 1, 3),
        ("small: first", 1, 3),
        ("small: second", 1, 3),
        ("small: Step 3/3 : USER 1", 2, 3),
        (f"small: {'x' * 200}", 2, 3),
    ]
    assert {note.level for note in told} == {"detail"}


def test_a_build_that_fails_shows_its_last_lines_and_the_next_step(tmp_path: Path) -> None:
    lines = [{"stream": f"line {number}\n"} for number in range(40)]
    with pytest.raises(MachineError) as failed:
        followed(tmp_path, *lines, {"error": "The command returned a non-zero code: 1"})
    assert str(failed.value).splitlines() == [
        "the image small could not be built. Its last lines:",
        *(f"  line {number}" for number in range(26, 40)),
        "  The command returned a non-zero code: 1",
        "Fix the cause and run again, or build it alone: repliquant images build small",
    ]
    assert failed.value.exit_code == 3


@pytest.mark.parametrize(
    ("told", "named"),
    [("x86_64", "x86_64"), ("amd64", "x86_64"), ("aarch64", "aarch64"), ("arm64", "aarch64")],
)
def test_the_processor_is_named_as_wheels_name_it(
    fake_daemon: FakeDaemon, told: str, named: str
) -> None:
    fake_daemon.answers["/info"]["Architecture"] = told
    made = connect()
    assert builds.architecture(made) == named
    made.client.close()


def test_proxies_are_given_under_the_names_that_docker_keeps_out_of_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "localhost")
    monkeypatch.setenv("HTTP_PROXY", "")
    monkeypatch.setenv("PIP_INDEX_URL", "https://user:secret@index.example/simple")
    assert builds._proxies() == {
        "https_proxy": "http://proxy.example:3128",
        "NO_PROXY": "localhost",
    }


def test_an_image_is_labelled_with_what_it_was_made_from(tmp_path: Path) -> None:
    made = image(tmp_path)
    labels = builds._labels(made, "mine:1", "sha256:12")
    assert set(labels) == {
        f"repliquant.{name}"
        for name in (
            "image",
            "version",
            "lock-sha256",
            "runners-sha256",
            "key",
            "base",
            "base-digest",
            "unhashed",
        )
    }
    assert labels["repliquant.base"] == "mine:1"
    assert labels["repliquant.base-digest"] == "sha256:12"
    assert labels["repliquant.lock-sha256"] == made.lock_sha256
    assert builds.tag(made).endswith(f":{labels['repliquant.key'][:12]}")


def test_a_base_that_cannot_be_had_is_told_before_anything_is_fetched(
    tmp_path: Path, daemon: Daemon
) -> None:
    told: list[LogLine] = []
    with pytest.raises(MachineError) as refused:
        builds.build(daemon, image(tmp_path), told.append)
    assert str(refused.value) == (
        "the base docker.io/library/python:3.11@sha256:0123 of the image py-25.02 is neither here "
        "nor can be pulled (REPLIQUANT_BASE names another). "
        "Fix that and run again, or run with --engine local"
    )
    assert told == []


def test_too_little_disk_is_told_before_anything_is_fetched(
    tmp_path: Path, fake_daemon: FakeDaemon
) -> None:
    made = image(tmp_path)
    path = made.folder / "image.toml"
    path.write_text(path.read_text().replace("disk_mb = 1", "disk_mb = 500000000"))
    fake_daemon.answers[f"/images/{builds.base_of(made)}/json"] = {"Id": "sha256:1"}
    fake_daemon.answers["/info"]["DockerRootDir"] = str(tmp_path)
    daemon = connect()
    big = load_image("py-25.02", tmp_path / "images")
    with pytest.raises(MachineError, match=r"needs about 1000000000 MB and .* MB free\. Fix"):
        builds.build(daemon, big, lambda note: None)
    daemon.client.close()


def test_an_image_that_is_there_is_not_waited_for(
    tmp_path: Path, fake_daemon: FakeDaemon, daemon: Daemon
) -> None:
    made = image(tmp_path)
    fake_daemon.answers[f"/images/{builds.tag(made)}/json"] = {
        "Id": "sha256:77", "RepoDigests": ["repliquant/py@sha256:99"],
        "Config": {"Labels": {"repliquant.base": "mine:1"}},
    }  # fmt: skip
    (tmp_path / "cache" / "images").mkdir(parents=True)
    with exclusive(tmp_path / "cache" / "images" / "py-25.02.lock"):
        used = builds.build(daemon, made, lambda note: None)
    assert (used.name, used.kind, used.id) == ("py-25.02", "container", "sha256:77")
    assert (used.digest, used.base) == ("sha256:99", "mine:1")
    assert used.lock_sha256 == made.lock_sha256


def test_a_cache_that_cannot_be_written_is_not_taken_for_the_daemons_fault(
    tmp_path: Path, daemon: Daemon
) -> None:
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(MachineError) as failed:
        builds.build(daemon, image(tmp_path), lambda note: None)
    assert str(failed.value) == (
        f"the image py-25.02 can't be made under {tmp_path}/cache: Not a directory. Its packages "
        "need about 0 MB there; set REPLIQUANT_CACHE to another folder"
    )


@pytest.mark.parametrize(
    "error", [requests.exceptions.ConnectionError("gone"), ConnectionResetError(104, "gone")]
)
def test_a_daemon_that_goes_away_is_not_taken_for_the_caches_fault(
    tmp_path: Path, error: OSError
) -> None:
    with pytest.raises(type(error)), builds._own_files(image(tmp_path)):
        raise error
