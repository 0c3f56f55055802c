"""The connection to a daemon: a Unix socket, TCP, TLS, or ssh."""

from __future__ import annotations

import errno
import functools
import socket
import subprocess
import tempfile
from typing import Any
from urllib.parse import urlsplit

import docker
import urllib3
from docker.transport import UnixHTTPAdapter
from requests.utils import get_environ_proxies

from orchestrator.engines.docker.address import Address


def make_client(address: Address, version: str, timeout_s: float) -> docker.DockerClient:
    """A client that speaks API ``version``; nothing is sent yet. Raises DockerException."""
    by_ssh = address.url.startswith("ssh://")
    client = docker.DockerClient(
        base_url="unix:///ssh" if by_ssh else address.url,
        tls=address.tls,
        version=version,
        timeout=timeout_s,
    )
    if by_ssh:
        client.api.mount("http+docker://", _SshAdapter(address.url, timeout_s))
    elif address.tls:
        # Else requests would have REQUESTS_CA_BUNDLE judge in place of the daemon's authority.
        client.api.trust_env = False
        client.api.proxies = get_environ_proxies(client.api.base_url)
    return client


def ssh_command(url: str) -> list[str]:
    """What the docker command line runs for such an address; it needs docker on the other side."""
    parts = urlsplit(url)
    command = ["ssh", "-T", "-o", "ConnectTimeout=15", "-o", "ServerAliveInterval=30"]
    if parts.username:
        command += ["-l", parts.username]
    if parts.port:
        command += ["-p", str(parts.port)]
    host = [f"--host=unix://{parts.path}"] if parts.path.strip("/") else []
    return [*command, "--", parts.hostname or "", "docker", *host, "system", "dial-stdio"]


class _SshConnection(urllib3.connection.HTTPConnection):
    """An ssh process at the other end of a socket pair; it ends when our end is closed."""

    def __init__(self, command: list[str], timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._command = command

    def connect(self) -> None:
        ours, theirs = socket.socketpair()
        ours.settimeout(self.timeout)
        self._said = tempfile.TemporaryFile()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    self._command, stdin=theirs.fileno(), stdout=theirs.fileno(),
                    stderr=self._said, start_new_session=True,  # Ctrl-C is for us alone
                )  # fmt: skip
            except OSError as error:
                ours.close()
                raise ConnectionError(error.errno, f"no program {self._command[0]}") from error
        self.sock = ours

    def getresponse(self) -> Any:
        try:
            return super().getresponse()
        except ConnectionError as error:
            self._said.seek(0)
            said = self._said.read().decode(errors="replace").strip().splitlines()
            why = said[-1] if said else "the connection through ssh broke off"
            raise ConnectionError(errno.ECONNABORTED, why) from error


class _SshPool(urllib3.connectionpool.HTTPConnectionPool):
    def __init__(self, command: list[str], timeout_s: float) -> None:
        super().__init__("localhost", timeout=timeout_s)
        self._command = command
        self._timeout_s = timeout_s

    def _new_conn(self) -> Any:
        return _SshConnection(self._command, self._timeout_s)


class _SshAdapter(UnixHTTPAdapter):  # type: ignore[misc]
    """All requests share one pool: each new connection is a login."""

    def __init__(self, url: str, timeout_s: float) -> None:
        super().__init__("http+unix:///ssh", timeout_s)
        self._new_pool = functools.partial(_SshPool, ssh_command(url), timeout_s)
        self._pool = self._new_pool()

    def get_connection(self, url: str, proxies: Any = None) -> Any:
        return self._pool

    def close(self) -> None:
        """As with all adapters: what comes later gets new connections."""
        super().close()
        self._pool.close()
        self._pool = self._new_pool()
