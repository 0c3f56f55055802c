"""The connection to a daemon: what ssh is asked to run, whose word counts for a certificate."""

from __future__ import annotations

import socket

import pytest
from docker.tls import TLSConfig

from orchestrator.engines.docker.address import Address
from orchestrator.engines.docker.stream import Connection
from orchestrator.engines.docker.transport import make_client, ssh_command

HEAD = ["ssh", "-T", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=30"]
TAIL = ["system", "dial-stdio"]


@pytest.mark.parametrize(
    ("url", "command"),
    [
        ("ssh://there", [*HEAD, "--", "there", "docker", *TAIL]),
        ("ssh://there/", [*HEAD, "--", "there", "docker", *TAIL]),
        ("ssh://me@there", [*HEAD, "-l", "me", "--", "there", "docker", *TAIL]),
        (
            "ssh://me@there:22022",
            [*HEAD, "-l", "me", "-p", "22022", "--", "there", "docker", *TAIL],
        ),
        ("ssh://[::1]:22", [*HEAD, "-p", "22", "--", "::1", "docker", *TAIL]),
        (
            "ssh://there/run/user/1/docker.sock",
            [*HEAD, "--", "there", "docker", "--host=unix:///run/user/1/docker.sock", *TAIL],
        ),
    ],
)
def test_ssh_runs_what_the_docker_command_line_would(url: str, command: list[str]) -> None:
    assert ssh_command(url) == command


def test_the_daemon_s_own_authority_judges_its_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    """REQUESTS_CA_BUNDLE, which many networks need, is not about the daemon."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
    tls = TLSConfig(ca_cert=__file__, verify=True)
    client = make_client(Address("tcp://192.0.2.1:2376", tls), "1.41", 1)
    settings = client.api.merge_environment_settings(client.api.base_url, {}, False, None, None)
    assert settings["verify"] == __file__
    client.close()


def test_a_machine_that_is_gone_is_noticed() -> None:
    """The wait for output has no limit, so the kernel has to ask whether the other side lives."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname())
        connection = Connection(ours)
        assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) != 0
        assert ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        assert ours.gettimeout() is None
        connection.close()
