"""Finding a daemon and talking to it; what goes wrong is one sentence with the next step."""

from __future__ import annotations

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from manifests.errors import MachineError
from orchestrator.engines.docker import daemon
from orchestrator.engines.docker.daemon import Daemon, connect
from tests.conftest import Workshop
from tests.fakes.daemon import FakeDaemon

COMMANDS = [
    ["run", "toy", "--engine", "docker"],
    ["images", "list", "--engine", "docker"],
    ["images", "build", "--engine", "docker"],
]


def refusal() -> str:
    with pytest.raises(MachineError) as refused:
        connect()
    assert refused.value.exit_code == 3
    return str(refused.value)


@pytest.fixture
def connected(fake_daemon: FakeDaemon) -> Iterator[Daemon]:
    made = connect()
    yield made
    made.client.close()


def test_a_daemon_is_asked_once_for_its_versions_and_then_spoken_to_in_its_own(
    fake_daemon: FakeDaemon, connected: Daemon
) -> None:
    assert fake_daemon.asked == ["/version", "/v1.41/info"]
    assert (connected.version, connected.api_version) == ("20.10.24", "1.41")
    assert connected.words == "Docker Engine 20.10.24"
    assert connected.shares_files
    assert not connected.rootless and not connected.remaps_users


@pytest.mark.parametrize(
    ("oldest", "newest", "spoken"),
    [
        ("1.12", "1.40", "1.40"),  # the oldest that there may be
        ("1.24", "1.52", "1.52"),
        ("1.44", "1.53", "1.52"),  # newer than we know, and still speaks what we know
        ("1.52", "1.100", "1.52"),
        ("1.52", "2.0", "1.52"),
    ],
)
def test_both_sides_speak_the_newest_version_that_both_know(
    fake_daemon: FakeDaemon, oldest: str, newest: str, spoken: str
) -> None:
    fake_daemon.answers["/version"] |= {"MinAPIVersion": oldest, "ApiVersion": newest}
    made = connect()
    assert made.api_version == spoken
    assert fake_daemon.asked[-1] == f"/v{spoken}/info"
    made.client.close()


def garbage(text: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(text) + text


STRANGER = "what answers at URL is not a Docker daemon. Check DOCKER_HOST and the docker context"
TOO_OLD = (
    "Docker Engine 18.09.1 is too old: it speaks API 1.39 at most, Repliquant 1.40 to 1.52. "
    "Install Engine 19.03 or newer"
)
ANCIENT = TOO_OLD.replace("18.09.1", "1.6.2").replace("1.39", "1.18")
TOO_NEW = (
    "Docker Engine 33.0.0 is too new: it speaks API 1.60 at least, Repliquant 1.40 to 1.52. "
    "Update Repliquant"
)


@pytest.mark.parametrize(
    ("path", "answer", "sentence"),
    [
        ("/version", {"Version": "18.09.1", "ApiVersion": "1.39"}, TOO_OLD),
        ("/version", {"Version": "1.6.2", "ApiVersion": "1.18"}, ANCIENT),
        ("/version", {"Version": "33.0.0", "ApiVersion": "1.62", "MinAPIVersion": "1.60"}, TOO_NEW),
        ("/version", b"", STRANGER),
        ("/version", b"SSH-2.0-OpenSSH_9.2\r\n", STRANGER),
        ("/version", b"\x15\x03\x03\x00\x02\x02\x50", STRANGER),
        ("/version", garbage(b"<html>It works!</html>"), STRANGER),
        ("/version", garbage(b"\xff\xfe"), STRANGER),
        ("/version", [], STRANGER),
        ("/version", {}, STRANGER),
        ("/version", {"ApiVersion": "new"}, STRANGER),
        ("/version", {"ApiVersion": 1.41}, STRANGER),
        ("/version", (404, "page not found"), "the Docker daemon refused: page not found"),
        ("/info", (500, "out of order"), "the Docker daemon refused: out of order"),
        ("/info", [], STRANGER),
        ("/info", {}, STRANGER),
        (
            "/version",
            b"HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n",
            "no trust between the Docker daemon at URL and us (it asks for TLS). Check its "
            "certificates: DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or the docker context",
        ),
    ],
)
def test_an_answer_that_will_not_do_is_one_sentence(
    fake_daemon: FakeDaemon, path: str, answer: Any, sentence: str
) -> None:
    fake_daemon.answers[path] = answer
    assert refusal() == sentence.replace("URL", fake_daemon.url)


@pytest.mark.parametrize("path", ["/version", "/info"])
def test_a_daemon_that_does_not_answer_is_not_waited_for_forever(
    fake_daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(daemon, "_HANDSHAKE_S", 0.3)
    monkeypatch.setattr(daemon, "_ANSWER_S", 0.3)
    fake_daemon.answers[path] = None
    assert refusal() == (
        f"the Docker daemon at {fake_daemon.url} does not answer. Restart it, or set DOCKER_HOST"
    )


def test_a_socket_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    assert refusal() == (
        "no Docker daemon: unix:///nowhere/docker.sock does not exist. "
        "Install Docker, or set DOCKER_HOST"
    )


def test_a_socket_nobody_listens_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with tempfile.TemporaryDirectory(prefix="daemon-") as folder:
        dead = socket.socket(socket.AF_UNIX)
        dead.bind(f"{folder}/d.sock")
        dead.close()
        monkeypatch.setenv("DOCKER_HOST", f"unix://{folder}/d.sock")
        assert refusal() == (
            f"no Docker daemon listens at unix://{folder}/d.sock. Start it (systemctl start docker)"
        )


def test_a_machine_nobody_listens_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # taken, and not listening
        url = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("DOCKER_HOST", url)
        assert refusal() == (
            f"no Docker daemon listens at {url}. Start it (systemctl start docker)"
        )


def test_a_machine_that_nobody_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setenv("DOCKER_HOST", "tcp://nobody.example:2375")
    assert refusal() == (
        "no Docker daemon answers at tcp://nobody.example:2375 (Name or service not known). "
        "Check DOCKER_HOST and the docker context"
    )


PROGRAM = """
import importlib, os, pkgutil, sys
import encodings.idna, rich.progress, tomllib  # imported late, from where nobody may look
for name in (
    "manifests", "machine", "papers", "comparisons", "orchestrator", "services", "cli", "tui"
):
    for module in pkgutil.walk_packages(importlib.import_module(name).__path__, name + "."):
        importlib.import_module(module.name)
import tests.fakes.cli
user = int(sys.argv.pop(1))
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)
tests.fakes.cli.main()
"""


@pytest.fixture
def unprivileged() -> Iterator[Workshop]:
    """A workshop whose folder anybody may use."""
    folder = Path(tempfile.mkdtemp(prefix="workshop-"))
    from tests.fakes.studies import write_study

    write_study(folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o777 if path.is_dir() else 0o666)
    yield Workshop(folder)
    shutil.rmtree(folder)


@pytest.mark.first(1)
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_user_who_may_not_use_the_socket_is_told_how_to(
    unprivileged: Workshop, fake_daemon: FakeDaemon, command: list[str]
) -> None:
    """Root may use any socket, so the command line becomes somebody else first."""
    fake_daemon.socket.chmod(0 if os.getuid() else stat.S_IRWXU)
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, "65534", *command], cwd=unprivileged.folder,
        env={**unprivileged.environment, "DOCKER_HOST": fake_daemon.url, "HOME": "/nonexistent"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert done.stderr == (
        f"repliquant: no permission to use {fake_daemon.url}. Become a member of the group docker "
        "(which is as good as root), or run a daemon of your own without root: "
        "dockerd-rootless-setuptool.sh\n"
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_says_the_sentence_and_ends_with_3(
    workshop: Workshop, fake_daemon: FakeDaemon, command: list[str]
) -> None:
    fake_daemon.answers["/version"] = {"Version": "18.09.1", "ApiVersion": "1.39"}
    workshop.environment["DOCKER_HOST"] = fake_daemon.url
    done = workshop(*command, status=3)
    assert (done.stdout, done.stderr) == ("", f"repliquant: {TOO_OLD}\n")


@pytest.mark.parametrize(
    ("version", "said", "step"),
    [
        ({"Version": "18.09.1", "ApiVersion": "1.39"}, *TOO_OLD.split(". ")),
        ({"ApiVersion": "new"}, *STRANGER.split(". ")),
    ],
)
def test_the_doctor_says_what_is_wrong_apart_from_what_to_do(
    workshop: Workshop, fake_daemon: FakeDaemon, version: Any, said: str, step: str
) -> None:
    """A machine without Docker is a healthy one: cells run without containers."""
    fake_daemon.answers["/version"] = version
    workshop.environment["DOCKER_HOST"] = fake_daemon.url
    findings = {f["what"]: f for f in json.loads(workshop("doctor", "--json").stdout)}
    found = findings["docker"]
    assert (found["state"], found["detail"]) == ("note", said.replace("URL", fake_daemon.url))
    assert found["next_step"] == f"{step}; until then: cells run without containers"
    assert findings["engine"]["detail"].startswith(f"local: no Docker ({said.split(' ')[0]}")


@pytest.mark.parametrize(
    ("options", "rootless", "remapped"),
    [
        (None, False, False),
        (["name=seccomp,profile=default", "name=rootless", "name=cgroupns"], True, False),
        (["name=apparmor", "name=userns"], False, True),
    ],
)
def test_the_daemon_s_own_users_are_known(
    fake_daemon: FakeDaemon, options: Any, rootless: bool, remapped: bool
) -> None:
    fake_daemon.answers["/info"]["SecurityOptions"] = options
    made = connect()
    assert (made.rootless, made.remaps_users) == (rootless, remapped)
    made.client.close()


def test_a_daemon_that_comes_back_is_waited_for(
    connected: Daemon, fake_daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert connected.answers() and connected.comes_back()
    assert not connected.goes_away_within(0.1)
    fake_daemon.answers["/_ping"] = (500, "shutting down")
    assert not connected.answers()
    assert connected.goes_away_within(5)
    monkeypatch.setattr(daemon, "BACK_WITHIN_S", 0.3)
    assert not connected.comes_back()
