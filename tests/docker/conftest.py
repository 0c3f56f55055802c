"""The engine that the tests drive, and a workshop whose images are built on it.

Where no engine answers, every test here is skipped with the reason. REPLIQUANT_TEST_DOCKER=1
turns that into a failure, so that continuous integration can't pass without one.
"""

from __future__ import annotations

import os
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from orchestrator.containers.daemon import Daemon, connect
from orchestrator.containers.reaping import OWNER
from orchestrator.errors import KitError
from tests.conftest import ROOT, Workshop
from tests.fakes.studies import write_study

NEEDED = ("msgspec==", "numpy==")
BASE = os.environ.get("REPLIQUANT_TEST_BASE", "repliquant-test-base:bookworm")
DOCKERFILE = """\
ARG BASE={base}
FROM ${{BASE}} AS packages
COPY images/{name}/requirements.txt wheel[s]/* /packages/
RUN python3 -m venv /opt/venv && cd /packages && \\
    /opt/venv/bin/pip install --quiet --no-index --find-links . -r requirements.txt
FROM ${{BASE}}
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/bin:/bin PYTHONPATH=/opt/repliquant PYTHONUNBUFFERED=1
COPY manifests /opt/repliquant/manifests
COPY runners /opt/repliquant/runners
COPY images/{name}/technique.py /opt/repliquant/runners/{name}/plain.py
COPY images/{name}/verify.py /opt/repliquant/images/{name}/verify.py
RUN touch /opt/repliquant/runners/{name}/__init__.py  # technique {technique}
USER 65532:65532
ENTRYPOINT ["python", "-m", "runners.contained"]
"""


@pytest.fixture(scope="session")
def daemon() -> Daemon:
    try:
        found = connect()
        found.client.images.get(BASE)
    except (KitError, docker.errors.ImageNotFound) as error:
        reason = f"NO DOCKER, NOT TESTED: {error}. `just docker-up` starts an engine"
        if os.environ.get("REPLIQUANT_TEST_DOCKER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache whose wheels are fetched once for all workshops."""
    return tmp_path_factory.mktemp("wheels")


def write_images(folder: Path, *names: str) -> None:
    """Give images of the workshop a Dockerfile, a lock, and the technique ``plain``."""
    technique = (Path(__file__).parent / "technique.py").read_text()
    for name in names or ("alpha", "beta"):
        image = folder / "images" / name
        text = DOCKERFILE.format(base=BASE, name=name, technique=zlib.crc32(technique.encode()))
        (image / "Dockerfile").write_text(text)
        pins = (ROOT / "requirements.txt").read_text().splitlines()
        lock = [f"{pin}\n" for pin in pins if pin.startswith(NEEDED)]
        (image / "requirements.txt").write_text("".join(lock))
        (image / "technique.py").write_text(technique)
        toml = (image / "image.toml").read_text()
        (image / "image.toml").write_text(toml.replace('["3.11", "3.12", "3.13"]', '["3.11"]'))


class DockerWorkshop(Workshop):
    """Runs the study ``toy`` through the Docker engine."""

    def __init__(self, folder: Path, daemon: Daemon, wheels: Path) -> None:
        super().__init__(folder)
        self.daemon = daemon
        self.environment["DOCKER_HOST"] = daemon.address
        cache = folder / "cache"
        cache.mkdir()
        (cache / "wheels").symlink_to(wheels)

    def write(self, **choices: Any) -> None:
        """The study, with the images' Dockerfiles."""
        write_study(self.folder, **choices)
        write_images(self.folder)

    def run(self, *arguments: str, status: int = 0) -> Any:
        return self("run", "toy", "--engine", "docker", *arguments, status=status)

    def start(self, *arguments: str) -> Any:
        return super().start("--engine", "docker", *arguments)

    def events(self) -> str:
        """Everything that the runners have sent so far."""
        return "".join(path.read_text() for path in self.runs.rglob("events.jsonl"))

    def left(self) -> list[str]:
        """Names of the containers of this workshop's runs; others may use the engine as well."""
        found = self.daemon.client.api.containers(all=True, filters={"label": OWNER})
        return [container["Names"][0].strip("/") for container in found if self._mounted(container)]

    def _mounted(self, container: dict[str, Any]) -> bool:
        """Whether a folder of this workshop is in the container, or a volume in place of one."""
        sources = [mount.get("Source", "") for mount in container["Mounts"]]
        return not self.daemon.shares_files or any(
            source.startswith(f"{self.folder}/") for source in sources
        )


def wait_for(test: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait until ``test`` is true."""
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@pytest.fixture
def docker_workshop(tmp_path: Path, daemon: Daemon, wheels: Path) -> Iterator[DockerWorkshop]:
    made = DockerWorkshop(tmp_path, daemon, wheels)
    made.write()
    yield made
    assert made.left() == []
