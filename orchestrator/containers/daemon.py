"""The Docker daemon: finding it, checking its version, and saying in one sentence what is wrong."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import docker
import requests
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, TLSParameterError

from orchestrator.errors import MachineError

OLDEST_API = (1, 40)  # the first with device requests: Engine 19.03
NEWEST_API = (1, 52)
BACK_WITHIN_S = 120.0
_HANDSHAKE_S = 15
_ANSWER_S = 60
GONE = (requests.exceptions.ConnectionError, requests.exceptions.ReadTimeout, ConnectionError)


class Daemon:
    """A connection to a daemon that speaks a version we speak.

    ``shares_files`` tells whether the daemon sees the same files as we do. It is assumed of
    a daemon behind a Unix socket and of no other.
    """

    def __init__(self, client: docker.DockerClient, address: str, version: dict[str, Any]) -> None:
        self.client = client
        self.address = address
        self.version: str = version.get("Version", "?")
        self.api_version: str = client.api.api_version
        self.shares_files = address.startswith(("unix://", "http+unix://"))
        self.info: dict[str, Any] = client.info()

    @property
    def words(self) -> str:
        """Which daemon, for a sentence."""
        where = "" if self.shares_files else f" at {self.address}"
        return f"Docker Engine {self.version}{where}"

    @property
    def rootless(self) -> bool:
        """Whether the daemon runs as an ordinary user, who then is root in its containers."""
        return any("rootless" in option for option in self._security())

    @property
    def remaps_users(self) -> bool:
        """Whether containers get other user ids than they ask for."""
        return any("userns" in option for option in self._security())

    def _security(self) -> list[str]:
        return self.info.get("SecurityOptions") or []

    def answers(self) -> bool:
        """Whether the daemon is there right now."""
        try:
            return bool(self.client.ping())
        except (DockerException, *GONE):
            return False

    def goes_away_within(self, seconds: float) -> bool:
        """Watch it for a moment: a daemon that is being stopped ends its containers first."""
        return not _true_until(self.answers, seconds)

    def comes_back(self) -> bool:
        """Wait for a daemon that is being restarted."""
        return not _true_until(lambda: not self.answers(), BACK_WITHIN_S)


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
    place = _place()
    with explained(place.address):
        client = _client(place)
        client.api.timeout = _ANSWER_S
        version = client.version()
        oldest = _parse(version.get("MinAPIVersion", "1.12"))
        newest = _parse(version["ApiVersion"])
        _check(version.get("Version", "?"), oldest, newest)
        if newest > NEWEST_API:
            client.close()
            client = _client(place, ".".join(map(str, NEWEST_API)))
            client.api.timeout = _ANSWER_S
        return Daemon(client, place.address, version)


class _Place(NamedTuple):
    address: str
    tls: Any


def _place() -> _Place:
    if os.environ.get("DOCKER_HOST"):
        try:
            found = docker.utils.kwargs_from_env()
        except TLSParameterError as error:
            raise MachineError(
                f"DOCKER_TLS_VERIFY and DOCKER_CERT_PATH can't be used: {error}"
            ) from error
        return _Place(os.environ["DOCKER_HOST"], found.get("tls", False))
    name = os.environ.get("DOCKER_CONTEXT") or ContextAPI.get_current_context().name
    context = ContextAPI.get_context(name)
    if context is None:
        raise MachineError(f"no docker context {name!r}; see: docker context ls")
    return _Place(context.Host or _usual_socket(), context.TLSConfig or False)


def _usual_socket() -> str:
    """The system's socket, or that of a daemon that this user runs without root."""
    own = Path(os.environ.get("XDG_RUNTIME_DIR", "/nonexistent")) / "docker.sock"
    system = Path("/var/run/docker.sock")
    return f"unix://{own if own.exists() and not system.exists() else system}"


def _client(place: _Place, version: str = "auto") -> docker.DockerClient:
    return docker.DockerClient(
        base_url=place.address,
        tls=place.tls,
        version=version,
        use_ssh_client=place.address.startswith("ssh://"),
        timeout=_HANDSHAKE_S,
    )


def _parse(version: str) -> tuple[int, int]:
    major, minor = version.split(".")[:2]
    return int(major), int(minor)


def _check(version: str, oldest: tuple[int, int], newest: tuple[int, int]) -> None:
    """Raises MachineError for a daemon that is too old or too new for us."""
    ours = f"{_words(OLDEST_API)} to {_words(NEWEST_API)}"
    if newest < OLDEST_API:
        raise MachineError(
            f"Docker Engine {version} is too old: it speaks API {_words(newest)} at most, this kit "
            f"{ours}. Install Engine 19.03 or newer"
        )
    if oldest > NEWEST_API:
        raise MachineError(
            f"Docker Engine {version} is too new: it speaks API {_words(oldest)} at least, this "
            f"kit {ours}. Update the kit"
        )


def _words(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


@contextmanager
def explained(address: str) -> Iterator[None]:
    """Turn what goes wrong with a daemon into one sentence with the next step."""
    try:
        yield
    except APIError as error:
        raise MachineError(f"the Docker daemon refused: {error.explanation or error}") from error
    except (DockerException, requests.exceptions.RequestException, OSError) as error:
        raise MachineError(_sentence(address, error)) from error


def _sentence(address: str, error: BaseException) -> str:
    causes = list(_causes(error))
    if any(isinstance(cause, PermissionError) for cause in causes):
        return (
            f"no permission to use {address}. Become a member of the group docker (which is as "
            "good as root), or run a daemon of your own without root: dockerd-rootless-setuptool.sh"
        )
    if any(isinstance(cause, FileNotFoundError) for cause in causes):
        return f"no Docker daemon: {address} does not exist. Install Docker, or set DOCKER_HOST"
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes):
        return f"no Docker daemon listens at {address}. Start it (systemctl start docker)"
    text = str(error).strip().splitlines()
    return f"no Docker daemon answers at {address}: {text[0] if text else type(error).__name__}"


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
