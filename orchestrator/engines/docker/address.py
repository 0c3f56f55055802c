"""Where the daemon is: DOCKER_HOST, else the docker context, else Docker's or Podman's socket."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import docker
from docker.errors import DockerException, TLSParameterError
from docker.tls import TLSConfig

from manifests.cell import sha256_hex
from manifests.errors import MachineError

_SYSTEM = Path("/var/run/docker.sock")
_PODMAN = Path("/run/podman/podman.sock")
_USUAL = f"unix://{_SYSTEM}"


class Address(NamedTuple):
    """An address as DOCKER_HOST has it, and the certificates to show there (False: none)."""

    url: str
    tls: TLSConfig | bool = False


def find_address() -> Address:
    """The daemon that the docker command line would use. Raises MachineError."""
    host = os.environ.get("DOCKER_HOST")
    found = _of_variables(host) if host else _of_context()
    try:
        docker.utils.parse_host(found.url)
    except (DockerException, ValueError) as error:
        raise MachineError(
            f"{found.url!r} is not the address of a Docker daemon. Set DOCKER_HOST to one like "
            f"{_USUAL}, tcp://HOST:2376 or ssh://USER@HOST"
        ) from error
    return found


def _of_variables(host: str) -> Address:
    try:
        return Address(host, docker.utils.kwargs_from_env().get("tls", False))
    except TLSParameterError as error:
        raise MachineError(
            "the certificates that DOCKER_TLS_VERIFY and DOCKER_CERT_PATH name can't be used. Put "
            "ca.pem, cert.pem and key.pem into the folder DOCKER_CERT_PATH, or unset both"
        ) from error


def _of_context() -> Address:
    """The context's files, read as the docker command line does (docker-py needs more of them)."""
    folder = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker")
    name = os.environ.get("DOCKER_CONTEXT") or _current(folder / "config.json")
    if name == "default":
        return Address(_usual_socket())
    key = sha256_hex(name.encode())
    try:
        meta = json.loads((folder / "contexts" / "meta" / key / "meta.json").read_text())
        endpoint = meta["Endpoints"]["docker"]
        verify = not endpoint.get("SkipTLSVerify", False)
        return Address(
            endpoint["Host"], _certificates(folder / "contexts" / "tls" / key / "docker", verify)
        )
    except FileNotFoundError as error:
        raise MachineError(f"no docker context {name!r}. See: docker context ls") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, TLSParameterError) as error:
        raise MachineError(
            f"the docker context {name!r} can't be read ({type(error).__name__}). "
            f"Make it anew: docker context rm {name}; docker context create {name}"
        ) from error


def _current(config: Path) -> str:
    try:
        found: Any = json.loads(config.read_text())
        return str(found.get("currentContext") or "default")
    except (OSError, ValueError, AttributeError):
        return "default"


def _certificates(folder: Path, verify: bool) -> TLSConfig | bool:
    ca, certificate, key = (folder / f"{name}.pem" for name in ("ca", "cert", "key"))
    if not folder.is_dir():
        return False
    own = (str(certificate), str(key)) if certificate.exists() else None
    return TLSConfig(client_cert=own, ca_cert=str(ca) if ca.exists() else None, verify=verify)


def _usual_socket() -> str:
    """Docker's socket or Podman's, the system's or this user's own: the first that may be used.

    Where none may be used, the first that is there; where none is there, Docker's.
    """
    own = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    places = (_SYSTEM, own / "docker.sock", own / "podman" / "podman.sock", _PODMAN)
    there = [path for path in places if _exists(path)]
    usable = [path for path in there if os.access(path, os.R_OK | os.W_OK)]
    found = next(iter(usable + there), _SYSTEM)
    return _USUAL if found == _SYSTEM else f"unix://{found}"


def _exists(path: Path) -> bool:
    """Not where a folder above it is closed to us, as /run/podman is."""
    try:
        return path.exists()
    except OSError:
        return False
