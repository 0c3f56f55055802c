"""An engine that sees none of our files: TCP with TLS, ssh, a docker context.

Inputs travel into volumes and results out of them; nothing of that is left afterwards but the
data, which the next run finds again.
"""

from __future__ import annotations

import csv
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.codec import read_manifest
from manifests.manifest import Manifest
from orchestrator.engines.docker.daemon import connect
from orchestrator.engines.docker.mounts import DATA_LABEL
from orchestrator.engines.docker.reaping import OWNER
from tests.docker.conftest import DockerWorkshop, a_workshop, wait_for
from tests.docker.engines import NoEngine, PrivateEngine, Relay, Sshd, cannot, free_port

pytestmark = pytest.mark.docker
WAYS = ("tls", "context", "ssh")
ALPHA = ("-k", "alpha")


@pytest.fixture(scope="module")
def sshd(
    tmp_path_factory: pytest.TempPathFactory, engine_with_images: PrivateEngine
) -> Iterator[Sshd]:
    try:
        made = Sshd(tmp_path_factory.mktemp("ssh") / "sshd", engine_with_images)
    except NoEngine as error:
        cannot(error)
    yield made
    made.close()


def reach_by_tls(engine: PrivateEngine, port: int = 0) -> dict[str, str]:
    return {
        "DOCKER_HOST": f"tcp://127.0.0.1:{port or engine.port}",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(engine.certificates),
    }


def reach_by_context(engine: PrivateEngine, folder: Path) -> dict[str, str]:
    """Made by the docker command line, in a folder of its own."""
    keys = {"ca": "ca.pem", "cert": "cert.pem", "key": "key.pem"}
    files = ",".join(f"{key}={engine.certificates}/{name}" for key, name in keys.items())
    subprocess.run(
        ["docker", "--config", folder, "context", "create", "far", "--docker",
         f"host=tcp://127.0.0.1:{engine.port},{files}"],
        check=True, capture_output=True,
    )  # fmt: skip
    return {"DOCKER_CONFIG": str(folder), "DOCKER_CONTEXT": "far", "DOCKER_HOST": ""}


def reach_by_ssh(sshd: Sshd) -> dict[str, str]:
    return {
        "DOCKER_HOST": f"ssh://root@127.0.0.1:{sshd.port}",
        "PATH": f"{sshd.path}:{os.environ['PATH']}",
    }


class FarWorkshop(DockerWorkshop):
    """One whose engine has volumes in place of this machine's folders."""

    def volumes(self, label: str) -> dict[str, str]:
        """When each of the engine's volumes of that label was made, by name."""
        found = self.daemon.client.api.volumes(filters={"label": label})["Volumes"] or []
        return {volume["Name"]: volume["CreatedAt"] for volume in found}

    def left(self) -> list[str]:
        return [*super().left(), *self.volumes(OWNER)]


@pytest.fixture
def relay(private_engine: PrivateEngine) -> Iterator[Relay]:
    made = Relay(private_engine.port)
    yield made
    made.close()


@pytest.fixture
def far(
    request: pytest.FixtureRequest, tmp_path: Path, private_engine: PrivateEngine, wheels: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[FarWorkshop]:  # fmt: skip
    """A workshop on the private engine, reached in the way that is asked for (by default TLS)."""
    way = getattr(request, "param", "tls")
    if way == "ssh":
        variables = reach_by_ssh(request.getfixturevalue("sshd"))
    elif way == "relay":
        relay: Relay = request.getfixturevalue("relay")
        variables = reach_by_tls(private_engine, relay.port)
    elif way == "context":
        variables = reach_by_context(private_engine, tmp_path / "docker")
    else:
        variables = reach_by_tls(private_engine)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    daemon = connect()
    assert not daemon.shares_files
    made = FarWorkshop(tmp_path, daemon, wheels, alone=True)
    made.environment["DOCKER_HOST"] = variables["DOCKER_HOST"]
    made.write()
    try:
        yield made
        assert made.left() == []
    finally:
        made.close()
        daemon.client.close()


@pytest.fixture(scope="module")
def near(
    tmp_path_factory: pytest.TempPathFactory, engine_with_images: PrivateEngine, wheels: Path
) -> DockerWorkshop:
    """The same study on the same engine, behind its Unix socket."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", f"unix://{engine_with_images.socket}")
        daemon = connect()
        folder = tmp_path_factory.mktemp("near")
        with a_workshop(folder, daemon, wheels, alone=True) as made:
            made.run()
        daemon.client.close()
    return made


def ended(workshop: DockerWorkshop) -> dict[str, Manifest]:
    return {path.parent.name: read_manifest(path) for path in workshop.manifests()}


def tables(workshop: DockerWorkshop) -> list[dict[str, Any]]:
    (path,) = workshop.runs.glob("*/tables.csv")
    return list(csv.DictReader(path.open()))


@pytest.mark.parametrize("far", WAYS, indirect=True)
def test_a_study_runs_on_an_engine_far_away(far: FarWorkshop, near: DockerWorkshop) -> None:
    far.run()
    found = ended(far)
    assert [m.status for m in found.values()] == ["ok"] * 6
    assert found.keys() == ended(near).keys()
    assert tables(far) == tables(near)
    for path in far.runs.rglob("*"):
        assert path.stat().st_uid == os.getuid() and path.stat().st_gid == os.getgid()
    for cell in found:
        (folder,) = far.runs.glob(f"*/cells/{cell}")
        assert (folder / "weights.bin").read_bytes() == b"weights"
        assert (folder / "log.txt").exists() and '"work"' in (folder / "events.jsonl").read_text()
    settings = [m.context.container for m in found.values() if m.context is not None]
    kinds = {mount.kind for made in settings if made is not None for mount in made.mounts}
    assert kinds == {"volume", "tmpfs"}


def test_data_travels_once(far: FarWorkshop) -> None:
    far.run(*ALPHA)
    data = far.volumes(DATA_LABEL)
    far.run(*ALPHA, "--run", str(far.runs / "again"))
    assert far.volumes(DATA_LABEL) == data and len(data) == 2  # itself, and that it is complete


@pytest.mark.first(1)
@pytest.mark.parametrize("far", ["tls", "ssh"], indirect=True)
def test_ctrl_c_reaches_a_cell_far_away(far: FarWorkshop) -> None:
    """Its manifest has the reason, which came through the archive call, and its own phases."""
    far.write(seconds=600)
    process = far.start("-k", "alpha and train")
    wait_for(lambda: "work" in far.events(), "the work has not begun")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    (manifest,) = ended(far).values()
    assert (manifest.status, manifest.reason) == ("cancelled", "interrupted")
    assert [phase.name for phase in manifest.phases] == ["import", "work"]


@pytest.mark.first(1)
@pytest.mark.parametrize("far", ["tls", "ssh"], indirect=True)
def test_what_a_killed_orchestrator_leaves_far_away_goes_with_the_next_run(
    far: FarWorkshop,
) -> None:
    far.write(seconds=600)
    process = far.start("-k", "alpha and train")
    wait_for(lambda: "work" in far.events(), "the work has not begun")
    process.kill()
    process.communicate()
    assert far.volumes(OWNER) and far.left()
    running = {"label": OWNER, "status": "running"}
    api = far.daemon.client.api
    wait_for(lambda: not api.containers(filters=running), "it outlived its orchestrator")
    far.write(seconds=0)
    done = far.run("-k", "alpha and train")
    assert "removed 1 container" in done.stderr
    assert [m.status for m in ended(far).values()] == ["ok"]


@pytest.mark.parametrize("far", ["relay"], indirect=True)
def test_a_connection_that_breaks_off_costs_one_attempt(far: FarWorkshop, relay: Relay) -> None:
    """The daemon goes on, the stream does not; the container ends, and the cell runs again."""
    far.write(seconds=3.0)
    process = far.start("-k", "alpha and train")
    wait_for(lambda: "work" in far.events(), "the work has not begun")
    relay.break_off()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    # Which of the two is noticed first is the machine's business.
    reasons = ("the connection to its container broke off", "the Docker daemon")
    assert any(f"is run again: {reason}" in errors for reason in reasons)
    assert len(list(far.runs.glob("*/cells/*.attempt-1"))) == 1


@pytest.mark.parametrize("far", ["ssh"], indirect=True)
def test_what_ssh_says_is_passed_on(far: FarWorkshop, sshd: Sshd) -> None:
    far.environment["DOCKER_HOST"] = f"ssh://root@127.0.0.1:{free_port()}"
    told = far.run(status=3).stderr.splitlines()[-1]
    assert "Connection refused" in told and told.startswith("repliquant: no Docker daemon answers")
    (sshd.path.parent / "ssh_config").rename(sshd.path.parent / "hidden")
    try:
        far.environment["DOCKER_HOST"] = f"ssh://root@127.0.0.1:{sshd.port}"
        told = far.run(status=3).stderr
    finally:
        (sshd.path.parent / "hidden").rename(sshd.path.parent / "ssh_config")
    assert "Can't open user config file" in told
