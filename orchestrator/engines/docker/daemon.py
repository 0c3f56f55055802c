"""The daemon, Docker's or Podman's: finding it, checking its version, saying what is wrong."""

from __future__ import annotations

import contextlib
import http.client
import os
import ssl
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import docker
import requests
import urllib3
from docker.errors import APIError, DockerException

from manifests.cell import sha256_hex
from manifests.errors import MachineError
from orchestrator.engines.docker.address import Address, find_address
from orchestrator.engines.docker.transport import make_client

OLDEST_API = (1, 40)  # the first with device requests: Engine 19.03
NEWEST_API = (1, 52)
BACK_WITHIN_S = 120.0
_HANDSHAKE_S = 15
_ANSWER_S = 60
GONE = (
    requests.exceptions.ConnectionError,
    requests.exceptions.ReadTimeout,
    requests.exceptions.ChunkedEncodingError,
    urllib3.exceptions.HTTPError,
    ConnectionError,
    TimeoutError,
)
DOCKER = "the Docker daemon"
_ODD = (ValueError, KeyError, TypeError, AttributeError)  # answers that no daemon gives


class Daemon:
    """A connection to a daemon that speaks a version we speak, Docker's or ``podman``.

    ``shares_files`` tells whether the daemon sees the same files as we do. It is assumed of
    a daemon behind a Unix socket and of no other. The connection is closed with the last use of it:
    a plan that only looks for an engine has no end of its own to close it at.
    """

    def __init__(self, client: docker.DockerClient, address: str, version: dict[str, Any]) -> None:
        self.client = client
        weakref.finalize(self, client.close)
        self.address = address
        self.version: str = version.get("Version", "?")
        self.podman = _is_podman(version)
        self.api_version: str = client.api.api_version
        self.shares_files = address.startswith(("unix://", "http+unix://"))
        self.info: dict[str, Any] = client.info()
        self.cpus = int(self.info["NCPU"])
        self.memory_bytes = int(self.info["MemTotal"])

    @property
    def product(self) -> str:
        """Whose it is."""
        return "Podman" if self.podman else "Docker Engine"

    @property
    def words(self) -> str:
        """Which daemon, for a sentence."""
        where = "" if self.shares_files else f" at {self.address}"
        kind = (" rootless" if self.rootless else " rootful") if self.podman else ""
        return f"{self.product} {self.version}{kind}{where}"

    @property
    def service(self) -> str:
        """What goes away, refuses or doesn't know, for a sentence."""
        return "Podman's service" if self.podman else DOCKER

    @property
    def id(self) -> str:
        """A name that it keeps: Podman tells another one at each call, but keeps its place."""
        if not self.podman:
            return str(self.info.get("ID", ""))
        return sha256_hex(f"{self.info.get('Name')} {self.info.get('DockerRootDir')}".encode())[:16]

    @property
    def rootless(self) -> bool:
        """Whether the daemon runs as an ordinary user, who then is root in its containers."""
        told = bool(self.info.get("Rootless"))  # Podman's own word
        return told or any("rootless" in option for option in self._security())

    @property
    def limits_memory(self) -> bool:
        """Whether the kernel holds its containers to their limits.

        Control groups of version 1 are root's: without root nobody can be held to anything there.
        """
        told = self.info.get("MemoryLimit") is not False
        return told and not (self.rootless and str(self.info.get("CgroupVersion")) == "1")

    def owner(self) -> tuple[int, int]:
        """User and group whose daemon it is: those of its Unix socket. Raises OSError."""
        found = os.stat(self.address.partition("://")[2])
        return found.st_uid, found.st_gid

    @property
    def remaps_users(self) -> bool:
        """Whether containers get other user ids than they ask for."""
        return any("userns" in option for option in self._security())

    def _security(self) -> list[str]:
        return self.info.get("SecurityOptions") or []

    def explained(self) -> contextlib.AbstractContextManager[None]:
        """As the function of that name, of this daemon."""
        return explained(self.address, self.service)

    def answers(self) -> bool:
        """Whether the daemon takes new connections: one that is ending still serves the old."""
        self.client.api.close()
        try:
            return bool(self.client.ping())
        except (DockerException, *GONE):
            return False

    def goes_away_within(self, seconds: float) -> bool:
        """Watch it for a moment: a daemon that is being stopped ends its containers first."""
        return not _true_until(self.answers, seconds)

    def comes_back(self, given_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait for a daemon that is being restarted, until somebody has ``given_up``."""
        return not _true_until(lambda: not (self.answers() or given_up()), BACK_WITHIN_S)


def _is_podman(version: dict[str, Any]) -> bool:
    """It says so among its parts; what it calls its version is like Docker's."""
    parts = version.get("Components") or []
    return any("podman" in str(part.get("Name", "")).lower() for part in parts)


def _true_until(test: Any, seconds: float) -> bool:
    """Whether ``test`` stays true for so long."""
    end = time.monotonic() + seconds
    while test():
        if time.monotonic() >= end:
            return True
        time.sleep(0.2)
    return False


def connect() -> Daemon:
    """The daemon of DOCKER_HOST, else of the docker context. Raises MachineError."""
    address = find_address()
    with explained(address.url):
        try:
            return _connect(address)
        except (DockerException, requests.exceptions.RequestException):
            raise
        except _ODD as error:
            raise MachineError(_no_daemon(address.url)) from error
        except OSError as error:  # files of its certificates, or ssh itself
            raise MachineError(_sentence(address.url, error)) from error


def _connect(address: Address) -> Daemon:
    """Ask for its versions, then speak the newest that both sides know."""
    with contextlib.closing(make_client(address, _words(OLDEST_API), _HANDSHAKE_S)) as asking:
        version = asking.version(api_version=False)
    newest = _parse(version["ApiVersion"])
    _check(version.get("Version", "?"), _parse(version.get("MinAPIVersion", "1.12")), newest)
    client = make_client(address, _words(min(newest, NEWEST_API)), _HANDSHAKE_S)
    client.api.timeout = _ANSWER_S
    try:
        return Daemon(client, address.url, version)
    except BaseException:
        client.close()
        raise


def _parse(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _check(version: str, oldest: tuple[int, int], newest: tuple[int, int]) -> None:
    """Raises MachineError for a daemon that is too old or too new for us."""
    ours = f"{_words(OLDEST_API)} to {_words(NEWEST_API)}"
    if newest < OLDEST_API:
        raise MachineError(
            f"Docker Engine {version} is too old: it speaks API {_words(newest)} at most, "
            f"Repliquant {ours}. Install Engine 19.03 or newer"
        )
    if oldest > NEWEST_API:
        raise MachineError(
            f"Docker Engine {version} is too new: it speaks API {_words(oldest)} at least, "
            f"Repliquant {ours}. Update Repliquant"
        )


def _words(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


@contextlib.contextmanager
def explained(address: str, who: str = DOCKER) -> Iterator[None]:
    """Turn what goes wrong with a daemon into one sentence with the next step.

    What goes wrong with our own files is none of it: OSError passes.
    """
    try:
        yield
    except APIError as error:
        raise MachineError(_refusal(address, who, error)) from error
    except (DockerException, requests.exceptions.RequestException, *GONE) as error:
        raise MachineError(_sentence(address, error, who)) from error


def _refusal(address: str, who: str, error: APIError) -> str:
    said = str(error.explanation or error).strip()
    if "HTTP request to an HTTPS server" in said:
        return _untrusted(address, "it asks for TLS")
    return f"{who} refused: {said}"


def _sentence(address: str, error: BaseException, who: str = DOCKER) -> str:
    causes = list(_causes(error))

    def due_to(*kinds: type[BaseException]) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    if due_to(PermissionError) and address.startswith("unix://"):
        return (
            f"no permission to use {address}. Become a member of the group docker (which is as "
            "good as root), or run a daemon of your own without root: dockerd-rootless-setuptool.sh"
        )
    if due_to(FileNotFoundError) and address.startswith("unix://"):
        return f"no Docker daemon: {address} does not exist. Install Docker, or set DOCKER_HOST"
    if due_to(ConnectionRefusedError):
        return f"no Docker daemon listens at {address}. Start it (systemctl start docker)"
    if due_to(ssl.SSLError):
        return _untrusted(address, next(c for c in causes if isinstance(c, ssl.SSLError)))
    if due_to(requests.exceptions.Timeout, TimeoutError):
        return f"{who} at {address} does not answer. Restart it, or set DOCKER_HOST"
    if due_to(requests.exceptions.InvalidJSONError, http.client.HTTPException):
        return _no_daemon(address)
    why = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), error)
    return f"no Docker daemon answers at {address} ({_first_line(why)}). {_CHECK}"


_CHECK = "Check DOCKER_HOST and the docker context"


def _no_daemon(address: str) -> str:
    return f"what answers at {address} is not a Docker daemon. {_CHECK}"


def _untrusted(address: str, why: object) -> str:
    return (
        f"no trust between the Docker daemon at {address} and us ({_first_line(why)}). Check its "
        "certificates: DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or the docker context"
    )


def _first_line(said: object) -> str:
    lines = str(said).strip().splitlines()
    return lines[0] if lines else type(said).__name__


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error, what led to it, and the errors among their arguments."""
    seen = 0
    stack = [error]
    while stack and seen < 50:
        current = stack.pop()
        if isinstance(current, BaseException):
            seen += 1
            yield current
            stack += [current.__cause__, current.__context__, *getattr(current, "args", ())]
            stack.append(getattr(current, "reason", None))
