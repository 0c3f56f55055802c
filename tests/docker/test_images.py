"""Images on a real engine: built when they have to be, with nothing in them that must not be."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker.errors import NotFound

from manifests.errors import MachineError
from orchestrator.engines.base import Order
from orchestrator.engines.docker import builds
from orchestrator.engines.docker.engine import DockerEngine
from orchestrator.engines.docker.settings import NO_GPU_RUNTIME
from tests.conftest import ROOT
from tests.docker.conftest import BASE, DockerWorkshop, wait_for
from tests.docker.own_images import Images, own_images

pytestmark = pytest.mark.docker
SECRET = "sesame-7391-open"
SECRETS = {
    "PIP_INDEX_URL": f"https://somebody:{SECRET}@index.invalid/simple",
    "PIP_EXTRA_INDEX_URL": f"https://{SECRET}.invalid/simple",
    "PIP_CERT": f"/nowhere/{SECRET}.pem",
    "HTTPS_PROXY": f"http://somebody:{SECRET}@proxy.invalid:3128",
    "http_proxy": f"http://{SECRET}.invalid:3128",
}


@pytest.fixture
def images(docker_workshop: DockerWorkshop) -> Iterator[Images]:
    with own_images(docker_workshop) as made:
        yield made


def test_an_image_is_built_once_and_found_again(images: Images) -> None:
    assert images.state() == "not built; about 0 MB to download"
    done = images.build("-v")
    assert done.stdout == "alpha: ready\n"
    lines = [line for line in done.stderr.splitlines() if line.startswith("alpha: Step ")]
    assert lines[0].startswith(f"alpha: Step 1/{len(lines)} : ARG BASE=")
    assert f"making image alpha from {BASE}" in done.stderr
    assert images.state() == "ready"
    again = images.build("-v")
    assert (again.stdout, again.stderr) == ("alpha: ready\n", "")
    assert len(images.made()) == 1


def from_the_code_in(project: Path) -> Callable[..., list[str]]:
    """The command line of another checkout; the one that is installed comes first otherwise."""
    script = (
        f"import runpy, sys; sys.path.insert(0, {str(project)!r}); "
        "runpy.run_module('tests.docker.cli', run_name='__main__', alter_sys=True)"
    )
    return lambda *arguments: [sys.executable, "-c", script, *arguments]


def test_it_is_built_anew_exactly_when_lock_dockerfile_or_code_have_changed(
    images: Images, tmp_path: Path
) -> None:
    """With the code of a project of its own, which can be changed, and without a network."""
    project = tmp_path / "project"
    for package in (
        "manifests",
        "machine",
        "runners",
        "papers",
        "comparisons",
        "orchestrator",
        "services",
        "cli",
        "tui",
        "tests",
    ):
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, project / package, ignore=unwanted)
    images.workshop.command = from_the_code_in(project)  # type: ignore[method-assign]
    images.build()
    images.append("verify.py", "# other checks\n")
    images.append("image.toml", 'note = "other words"\n')
    os.utime(images.folder / "Dockerfile", (1, 1))
    images.build()
    assert len(images.made()) == 1
    images.workshop.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(images.wheels())}
    images.append("requirements.txt", "# another lock\n")
    images.build()
    images.append("Dockerfile", "# another Dockerfile\n")
    images.build()
    (project / "runners" / "job.py").open("a").write("# other code\n")
    assert images.state().startswith("not built")
    images.build()
    assert len(images.made()) == 4


def test_an_image_says_what_it_was_made_from_and_runs_as_nobody(images: Images) -> None:
    images.build()
    config = images.inspected()["Config"]
    own = {k: v for k, v in config["Labels"].items() if k.startswith("repliquant.")}
    assert own == builds._labels(images.image, BASE, images.client.images.get(BASE).id)
    assert config["User"] == "65532:65532"
    command = ["python", "-c", "import os; print(os.getuid(), os.getgid())"]
    name = builds.tag(images.image)
    printed = images.client.containers.run(name, entrypoint=command, remove=True)
    assert printed == b"65532 65532\n"


def test_nothing_of_the_hosts_index_certificates_and_proxies_is_in_an_image(
    images: Images,
) -> None:
    images.build()  # what is fetched lies in the cache now
    images.append("Dockerfile", "RUN env | sort >/tmp/variables && rm /tmp/variables\n")
    images.workshop.environment |= SECRETS
    images.build()
    name = builds.tag(images.image)
    history = json.dumps(images.client.api.history(name))
    inspected = json.dumps(images.client.api.inspect_image(name))
    assert "env | sort" in history
    for text in (history, inspected):
        assert SECRET not in text
    layers = list(own_layers(images, name))
    assert len(layers) > 5
    assert not any(SECRET.encode() in layer for layer in layers)


def own_layers(images: Images, name: str) -> Iterator[bytes]:
    """The layers that the image has beyond its base, and its configuration."""
    base = len(images.client.api.inspect_image(BASE)["RootFS"]["Layers"])
    with tarfile.open(fileobj=_Stream(images.client.images.get(name).save()), mode="r|") as saved:
        files = {entry.name: saved.extractfile(entry).read() for entry in saved if entry.isfile()}
    (manifest,) = json.loads(files["manifest.json"])
    yield files[manifest["Config"]]
    for layer in manifest["Layers"][base:]:
        yield files[layer]


class _Stream(io.RawIOBase):
    """Chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self._rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while len(self._rest) < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self._rest += chunk
        part, self._rest = self._rest[:size], self._rest[size:]
        return part


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("requirements.txt", "numpy==", "repliquant-does-not-exist==",
         ["the packages of alpha could not be fetched: pip ended with status 1. Its last lines:",
          "No matching distribution found for repliquant-does-not-exist=="]),
        ("Dockerfile", "FROM ${BASE} AS", "FRMO ${BASE} AS",
         ["the image alpha could not be built. Its last lines:", "unknown instruction: FRMO"]),
        ("Dockerfile", "USER 65532", "RUN echo broken words; exit 7\nUSER 65532",
         ["the image alpha could not be built. Its last lines:", "broken words",
          "returned a non-zero code: 7"]),
        ("Dockerfile", "COPY manifests", "COPY nowhere",
         ["the image alpha could not be built. Its last lines:", "COPY failed"]),
        ("Dockerfile", "ARG BASE=", "ARG BSE=", ["Dockerfile has no line ARG BASE=IMAGE"]),
        ("Dockerfile", f"ARG BASE={BASE}", "ARG BASE=repliquant-nobody-has:1",
         ["the base repliquant-nobody-has:1 of the image alpha is neither here nor can be pulled",
          "run with --engine local"]),
    ],
    ids=["lock", "syntax", "command", "file", "no base", "unknown base"],
)  # fmt: skip
def test_a_build_that_fails_says_why_and_leaves_nothing(
    images: Images, name: str, old: str, new: str, told: list[str]
) -> None:
    images.workshop.environment |= {"PIP_RETRIES": "0"}
    images.replace(name, old, new)
    done = images.build(status=3)
    assert done.stdout == ""
    for words in told:
        assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert images.made() == []


def test_a_run_whose_image_cannot_be_built_says_so_once_and_ends_with_3(images: Images) -> None:
    images.replace("Dockerfile", "USER 65532", "RUN exit 7\nUSER 65532")
    told = images.workshop.run("-k", "alpha", status=3).stderr
    assert told.count("the image alpha could not be built. Its last lines:") == 1
    assert "alpha train plain batch 2: unsupported (the image alpha could not be built.)" in told


def test_of_two_builds_at_once_one_builds(images: Images) -> None:
    both = [images.start("build", "-v"), images.start("build", "-v")]
    told = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert [out for out, _ in told] == ["alpha: ready\n"] * 2
    assert sum("making image alpha from" in errors for _, errors in told) == 1
    assert len(images.made()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_build_that_is_ended_leaves_no_container(images: Images, number: signal.Signals) -> None:
    images.replace("Dockerfile", "USER 65532", f"RUN sleep 600 # {images.mark}\nUSER 65532")
    process = images.start("build")
    wait_for(images.containers, "the step was not begun", 300)
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -9), errors
    assert "Traceback" not in errors
    wait_for(lambda: not images.containers(), "its container is left")
    assert images.made() == []


def test_an_image_is_built_on_another_base_when_that_is_given(images: Images) -> None:
    other = f"repliquant-test-base:{images.mark[:12]}"
    images.client.images.get(BASE).tag(other)
    try:
        told = images.build("--base", other, "-v").stderr
        assert f"making image alpha from {other}" in told
        assert images.inspected()["Config"]["Labels"]["repliquant.base"] == other
    finally:
        images.client.images.remove(other)


def test_a_dockerfile_builds_without_us(images: Images, tmp_path: Path) -> None:
    """From a folder like the project's root, by docker's own command line."""
    if shutil.which("docker") is None:
        pytest.skip("no docker command line here")
    images.build()
    project = tmp_path / "project"
    for package in ("machine", "manifests", "runners"):
        shutil.copytree(ROOT / package, project / package)
    shutil.copy(ROOT / ".dockerignore", project)
    shutil.copytree(images.folder, project / "images" / "alpha")
    shutil.copytree(images.wheels(), project / "wheels")
    (project / "runs").mkdir()
    (project / "runs" / "large").write_bytes(b"not to be sent")
    name = f"repliquant-test:{images.mark[:12]}"
    command = ["docker", "build", "-q", "-f", "images/alpha/Dockerfile", "-t", name, "."]
    subprocess.run(
        command, cwd=project, check=True, capture_output=True,
        env={**os.environ, "DOCKER_HOST": images.workshop.daemon.address},
    )  # fmt: skip
    listing = ["python", "-c", "import runners.container_init, manifests.cell; print('here')"]
    assert images.client.containers.run(name, entrypoint=listing, remove=True) == b"here\n"


def test_gpus_that_the_daemon_cannot_hand_out_are_one_sentence(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", images.workshop.daemon.address)
    images.build()
    engine = DockerEngine()
    if "nvidia" in (engine.daemon.info.get("Runtimes") or {}):
        pytest.skip("this daemon can hand out GPUs")
    order = Order(
        run="toy", cell="0", folder=tmp_path, data=None, weights=None, threads=1, gpus=("0",)
    )
    with pytest.raises(MachineError) as refused:
        engine.start(images.image, order)
    assert str(refused.value) == NO_GPU_RUNTIME
    engine.daemon.client.close()


def test_an_image_removed_behind_our_back_is_one_sentence(
    images: Images, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", images.workshop.daemon.address)
    monkeypatch.setenv("REPLIQUANT_CACHE", str(images.workshop.folder / "cache"))
    engine = DockerEngine()
    used = engine.prepare(images.image, lambda note: None)
    images.client.images.remove(used.id, force=True)
    with pytest.raises(NotFound):
        images.inspected()
    order = Order(run="toy", cell="0", folder=tmp_path, data=None, weights=None, threads=1)
    with pytest.raises(MachineError, match="its container can't be started: No such image"):
        engine.start(images.image, order)
    engine.daemon.client.close()
