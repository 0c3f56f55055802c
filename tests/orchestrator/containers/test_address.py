"""Which daemon is spoken to: DOCKER_HOST, the docker context, or the usual socket."""

from __future__ import annotations

import hashlib
import json
import socket
from pathlib import Path
from typing import Any

import pytest
from docker.tls import TLSConfig

from manifests.errors import MachineError
from orchestrator.engines.docker import address
from orchestrator.engines.docker.address import Address, find_address
from orchestrator.engines.docker.daemon import connect
from tests.fakes.daemon import FakeDaemon


def refusal() -> str:
    with pytest.raises(MachineError) as refused:
        find_address()
    return str(refused.value)


def context_files(tmp_path: Path, name: str) -> Path:
    """Where the docker command line keeps the context ``name``."""
    key = hashlib.sha256(name.encode()).hexdigest()
    folder = tmp_path / "docker" / "contexts" / "meta" / key
    folder.mkdir(parents=True, exist_ok=True)
    return folder / "meta.json"


def write_context(tmp_path: Path, name: str, **endpoint: Any) -> None:
    meta = {"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}
    context_files(tmp_path, name).write_text(json.dumps(meta))


def use(tmp_path: Path, name: str) -> None:
    """What ``docker context use NAME`` leaves."""
    (tmp_path / "docker").mkdir(exist_ok=True)
    (tmp_path / "docker" / "config.json").write_text(json.dumps({"currentContext": name}))


def certificates(folder: Path, *names: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / f"{name}.pem").write_text("a certificate")


def test_without_any_setting_it_is_the_systems_socket() -> None:
    assert find_address() == Address("unix:///var/run/docker.sock", False)


def test_without_a_system_s_socket_it_is_the_one_of_ones_own_daemon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "docker.sock").touch()
    monkeypatch.setattr(address, "_SYSTEM", tmp_path / "docker.sock")
    assert find_address().url == "unix:///var/run/docker.sock"
    monkeypatch.setattr(address, "_SYSTEM", tmp_path / "none")
    assert find_address().url == f"unix://{tmp_path}/docker.sock"
    (tmp_path / "docker.sock").unlink()
    assert find_address().url == "unix:///var/run/docker.sock"


@pytest.mark.parametrize(
    "url",
    [
        "unix:///run/user/1000/docker.sock",
        "tcp://192.0.2.1:2375",
        "ssh://somebody@192.0.2.1",
        "ssh://somebody@192.0.2.1:2222",
        "http://192.0.2.1:2375",
    ],
)
def test_docker_host_comes_before_every_context(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    write_context(tmp_path, "far", Host="tcp://192.0.2.7:2375")
    monkeypatch.setenv("DOCKER_CONTEXT", "far")
    monkeypatch.setenv("DOCKER_HOST", url)
    assert find_address() == Address(url, False)


@pytest.mark.parametrize(
    "url",
    [
        "tcp://",
        "tcp://192.0.2.1",
        "tcp://192.0.2.1:port",
        "tcp://192.0.2.1:99999",
        "tcp://[::1",
        "ftp://192.0.2.1:21",
        "fd://",
        "/var/run/docker.sock",
        "ssh://somebody@192.0.2.1/var/run/docker.sock",
        "tcp://user:password@192.0.2.1:2375",
    ],
)
def test_an_address_that_is_none(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", url)
    with pytest.raises(MachineError) as refused:
        connect()
    assert str(refused.value) == (
        f"{url!r} is not the address of a Docker daemon. Set DOCKER_HOST to one like "
        "unix:///var/run/docker.sock, tcp://HOST:2376 or ssh://USER@HOST"
    )


def test_the_certificates_of_docker_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates(tmp_path / "tls", "ca", "cert", "key")
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path / "tls"))
    tls = find_address().tls
    assert isinstance(tls, TLSConfig)
    assert tls.cert == (f"{tmp_path}/tls/cert.pem", f"{tmp_path}/tls/key.pem")
    assert (tls.ca_cert, tls.verify) == (f"{tmp_path}/tls/ca.pem", True)


@pytest.mark.parametrize("there", [[], ["ca"], ["cert", "key"], ["ca", "cert"]])
def test_certificates_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: list[str]
) -> None:
    certificates(tmp_path / "tls", *there)
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.1:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path / "tls"))
    assert refusal() == (
        "the certificates that DOCKER_TLS_VERIFY and DOCKER_CERT_PATH name can't be used. Put "
        "ca.pem, cert.pem and key.pem into the folder DOCKER_CERT_PATH, or unset both"
    )


def test_certificates_that_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificates(tmp_path / "tls", "ca", "cert", "key")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        monkeypatch.setenv("DOCKER_HOST", url)
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
        monkeypatch.setenv("DOCKER_CERT_PATH", str(tmp_path / "tls"))
        with pytest.raises(MachineError) as refused:
            connect()
    told = str(refused.value)
    assert told.startswith(f"no trust between the Docker daemon at {url} and us (")
    assert told.endswith("DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or the docker context")


def test_the_context_of_the_variable_comes_before_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_context(tmp_path, "far", Host="tcp://192.0.2.7:2375")
    write_context(tmp_path, "near", Host="unix:///near.sock", SkipTLSVerify=False)
    use(tmp_path, "near")
    assert find_address() == Address("unix:///near.sock", False)
    monkeypatch.setenv("DOCKER_CONTEXT", "far")
    assert find_address() == Address("tcp://192.0.2.7:2375", False)
    monkeypatch.setenv("DOCKER_CONTEXT", "default")
    assert find_address().url == "unix:///var/run/docker.sock"


def test_a_context_needs_no_configuration_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake_daemon: FakeDaemon
) -> None:
    write_context(tmp_path, "own", Host=fake_daemon.url)
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONTEXT", "own")
    assert not (tmp_path / "docker" / "config.json").exists()
    made = connect()
    assert made.address == fake_daemon.url
    made.client.close()


@pytest.mark.parametrize("skip", [False, True])
def test_the_certificates_of_a_context(tmp_path: Path, skip: bool) -> None:
    write_context(tmp_path, "far", Host="tcp://192.0.2.7:2376", SkipTLSVerify=skip)
    use(tmp_path, "far")
    key = hashlib.sha256(b"far").hexdigest()
    folder = tmp_path / "docker" / "contexts" / "tls" / key / "docker"
    certificates(folder, "ca", "cert", "key")
    tls = find_address().tls
    assert isinstance(tls, TLSConfig)
    assert tls.cert == (f"{folder}/cert.pem", f"{folder}/key.pem")
    assert (tls.ca_cert, tls.verify) == (f"{folder}/ca.pem", not skip)


@pytest.mark.parametrize("how", ["variable", "current"])
def test_a_context_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "variable":
        monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    else:
        use(tmp_path, "gone")
    assert refusal() == "no docker context 'gone'. See: docker context ls"


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", "{}", '{"Endpoints": {}}', '{"Endpoints": {"docker": {}}}',
     '{"Endpoints": {"docker": null}}', '{"Endpoints": []}', "\xff"],
)  # fmt: skip
def test_a_context_whose_file_is_broken(tmp_path: Path, content: str) -> None:
    context_files(tmp_path, "odd").write_bytes(content.encode("latin-1"))
    use(tmp_path, "odd")
    told = refusal()
    assert told.startswith("the docker context 'odd' can't be read (")
    assert told.endswith("). Make it anew: docker context rm odd; docker context create odd")


def test_a_context_with_an_address_that_is_none(tmp_path: Path) -> None:
    write_context(tmp_path, "odd", Host="nowhere")
    use(tmp_path, "odd")
    assert refusal().startswith("'nowhere' is not the address of a Docker daemon. Set DOCKER_HOST")


@pytest.mark.parametrize("content", ["", "[]", "{}", "\xff", '{"currentContext": ""}'])
def test_a_configuration_that_names_no_context_means_the_usual_socket(
    tmp_path: Path, content: str
) -> None:
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker" / "config.json").write_bytes(content.encode("latin-1"))
    assert find_address().url == "unix:///var/run/docker.sock"
