"""The engine that the tests drive, and a workshop whose images are built on it.

Where no engine answers, every test here is skipped with the reason. REPLIQUANT_TEST_DOCKER=1
turns that into a failure, so that continuous integration can't pass without one.
REPLIQUANT_TEST_TIMES is how often what has to be repeated is (20 for the figures of a release).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from manifests.errors import RepliquantError
from orchestrator.engines.docker.builds import tag
from orchestrator.engines.docker.daemon import Daemon, connect
from orchestrator.engines.docker.reaping import OWNER
from orchestrator.environments.images import load_image
from orchestrator.environments.pins import read_pins
from tests.conftest import ROOT, Workshop
from tests.docker.engines import NoEngine, PrivateEngine, cannot
from tests.fakes.studies import write_study

NEEDED = ("msgspec", "numpy")
TIMES = int(os.environ.get("REPLIQUANT_TEST_TIMES", "2"))
BASE = os.environ.get("REPLIQUANT_TEST_BASE", "repliquant-test-base:bookworm")
DOCKERFILE = """\
ARG BASE={base}
FROM ${{BASE}} AS packages
COPY images/*/requirements.txt wheel[s]/* /packages/
RUN python3 -m venv /opt/venv && cd /packages && \\
    /opt/venv/bin/pip install --quiet --no-index --find-links . -r requirements.txt
FROM ${{BASE}}
COPY --from=packages /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/bin:/bin PYTHONPATH=/opt/repliquant PYTHONUNBUFFERED=1
COPY manifests /opt/repliquant/manifests
COPY machine /opt/repliquant/machine
COPY runners /opt/repliquant/runners
COPY images/{name}/technique.py /opt/repliquant/runners/{name}/plain.py
COPY images/{name}/verify.py /opt/repliquant/images/{name}/verify.py
RUN echo 'repliquant:x:65532:65532:repliquant:/tmp:/usr/sbin/nologin' >>/etc/passwd
RUN touch /opt/repliquant/runners/{name}/__init__.py  # technique {technique}
RUN printf 'title = "%s"\\nmodules = ["json"]\\npackages = ["msgspec"]\\n' {name} \\
    >/opt/repliquant/runners/{name}/framework.toml
USER 65532:65532
ENTRYPOINT ["python", "-m", "runners.container_init"]
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """docker-py leaves sockets to the garbage collector, whenever that comes."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            quiet = "ignore::pytest.PytestUnraisableExceptionWarning"
            item.add_marker(pytest.mark.filterwarnings(quiet))


@pytest.fixture(scope="session")
def daemon() -> Daemon:
    try:
        found = connect()
        found.client.images.get(BASE)
    except (RepliquantError, docker.errors.ImageNotFound) as error:
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
        pins = read_pins(ROOT / "requirements.txt")
        lock = [f"{pin.text}\n" for pin in pins if pin.name in NEEDED]
        (image / "requirements.txt").write_text("".join(lock))
        (image / "technique.py").write_text(technique)
        toml = (image / "image.toml").read_text()
        (image / "image.toml").write_text(toml.replace('["3.11", "3.12", "3.13"]', '["3.11"]'))


class DockerWorkshop(Workshop):
    """Runs the study ``toy`` through the Docker engine."""

    def __init__(self, folder: Path, daemon: Daemon, wheels: Path, alone: bool = False) -> None:
        """``alone``: nobody else uses this engine."""
        super().__init__(folder)
        self.daemon = daemon
        self._alone = alone
        self.environment["DOCKER_HOST"] = daemon.address
        cache = folder / "cache"
        cache.mkdir()
        (cache / "wheels").symlink_to(wheels)
        self._started: list[subprocess.Popen[str]] = []

    def write(self, **choices: Any) -> None:
        """The study, with the images' Dockerfiles."""
        write_study(self.folder, **choices)
        write_images(self.folder)

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "tests.docker.cli", *arguments]

    def run(self, *arguments: str, status: int = 0) -> Any:
        return self("run", "toy", "--engine", "docker", *arguments, status=status)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start ``run toy`` and leave it running, until ``close`` at the latest."""
        process = subprocess.Popen(
            self.command("run", "toy", "--engine", "docker", *arguments), cwd=self.folder,
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self._started.append(process)
        return process

    def close(self) -> None:
        """End what a test that failed has left running; containers end with it."""
        for process in self._started:
            if process.poll() is None:
                process.kill()
                process.communicate()
                wait_for(lambda: not self._running(), "a container outlived its orchestrator")
        for container in self._mine():
            self.daemon.client.api.remove_container(container["Id"], force=True)

    def events(self) -> str:
        """Everything that the runners have sent so far."""
        found = []
        for path in self.runs.rglob("events.jsonl"):
            with contextlib.suppress(FileNotFoundError):  # its attempt is just being put aside
                found.append(path.read_text())
        return "".join(found)

    def left(self) -> list[str]:
        """Names of the containers of this workshop's runs; others may use the engine as well."""
        return [container["Names"][0].strip("/") for container in self._mine()]

    def _mine(self) -> list[dict[str, Any]]:
        found = self.daemon.client.api.containers(all=True, filters={"label": OWNER})
        return [container for container in found if self._mounted(container)]

    def _running(self) -> bool:
        return any(container["State"] == "running" for container in self._mine())

    def _mounted(self, container: dict[str, Any]) -> bool:
        sources = [mount.get("Source", "") for mount in container["Mounts"]]
        return self._alone or any(source.startswith(f"{self.folder}/") for source in sources)


def wait_for(test: Callable[[], object], what: str, seconds: float = 120.0) -> None:
    """Wait until ``test`` is true."""
    end = time.monotonic() + seconds
    while not test():
        assert time.monotonic() < end, what
        time.sleep(0.05)


@contextlib.contextmanager
def a_workshop(
    folder: Path, daemon: Daemon, wheels: Path, alone: bool = False
) -> Iterator[DockerWorkshop]:
    """A workshop in which nothing is left at the end."""
    made = DockerWorkshop(folder, daemon, wheels, alone)
    made.write()
    try:
        yield made
        assert made.left() == []
    finally:
        made.close()


@pytest.fixture
def docker_workshop(tmp_path: Path, daemon: Daemon, wheels: Path) -> Iterator[DockerWorkshop]:
    with a_workshop(tmp_path, daemon, wheels) as made:
        yield made


@pytest.fixture(scope="session")
def engine_with_images(
    tmp_path_factory: pytest.TempPathFactory, daemon: Daemon, wheels: Path
) -> Iterator[PrivateEngine]:
    """An engine of the tests' own that has the toy images."""
    with contextlib.ExitStack() as stack:
        workshop = a_workshop(tmp_path_factory.mktemp("building"), daemon, wheels)
        made = stack.enter_context(workshop)
        try:
            engine = PrivateEngine(tmp_path_factory.mktemp("engine"))
            stack.callback(engine.close)
            engine.start()
        except NoEngine as error:
            cannot(error)
        made("images", "build", "alpha", "beta", "--engine", "docker")
        tags = [tag(load_image(name, made.folder / "images")) for name in ("alpha", "beta")]
        with engine.client() as client:
            client.api.load_image(daemon.client.api.get_image(tags[0]))
            client.api.load_image(daemon.client.api.get_image(tags[1]))
        yield engine


@pytest.fixture
def private_engine(engine_with_images: PrivateEngine) -> PrivateEngine:
    """That engine, running."""
    if not engine_with_images.answers():
        engine_with_images.start()
    return engine_with_images


@pytest.fixture
def private_workshop(
    tmp_path: Path, private_engine: PrivateEngine, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[DockerWorkshop]:
    """A workshop on that engine, behind its Unix socket."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{private_engine.socket}")
    found = connect()
    try:
        with a_workshop(tmp_path, found, wheels, alone=True) as made:
            yield made
    finally:
        found.client.close()
