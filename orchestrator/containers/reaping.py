"""Whose containers are whose, and clearing away what dead orchestrators left.

Every container and volume carries the name of its orchestrator, and an orchestrator that
lives holds a lock of that name in the cache. The kernel lets go of the lock when it dies. A
container whose orchestrator has no lock in this cache belongs to somebody else.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path

from docker.errors import APIError, NotFound

from orchestrator import places
from orchestrator.containers.daemon import Daemon
from orchestrator.engines import Order
from orchestrator.locks import HeldError, exclusive

OWNER, RUN, CELL = "repliquant.orchestrator", "repliquant.run", "repliquant.cell"


class Identity:
    """This orchestrator's name, and its lock for as long as ``held``."""

    def __init__(self) -> None:
        self.name = uuid.uuid4().hex

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        path = _lock(self.name)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with exclusive(path):
                yield
        finally:
            path.unlink(missing_ok=True)

    def labels(self, order: Order) -> dict[str, str]:
        """Labels of a cell's container."""
        return {OWNER: self.name, RUN: order.run, CELL: order.cell}


def reap(daemon: Daemon) -> list[str]:
    """Remove the containers and volumes of dead orchestrators; the removed containers' cells."""
    removed = []
    dead: set[str] = set()
    known = {"label": OWNER}
    for container in daemon.client.api.containers(all=True, filters=known):
        owner = container["Labels"].get(OWNER, "")
        if not _is_dead(owner):
            continue
        dead.add(owner)
        with _already_gone():
            daemon.client.api.remove_container(container["Id"], force=True, v=True)
            removed.append(container["Labels"].get(CELL, "?"))
    for volume in daemon.client.volumes.list(filters=known):
        owner = (volume.attrs.get("Labels") or {}).get(OWNER, "")
        if owner in dead or _is_dead(owner):
            dead.add(owner)
            with _already_gone():
                volume.remove(force=True)
    for owner in dead:
        _lock(owner).unlink(missing_ok=True)
    return removed


def _is_dead(owner: str) -> bool:
    """Whether the orchestrator was of this cache and lives no more."""
    path = _lock(owner)
    if not owner.isalnum() or not path.exists():
        return False
    try:
        with exclusive(path):
            return True
    except HeldError:
        return False


def _lock(owner: str) -> Path:
    return places.cache() / "orchestrators" / owner


@contextlib.contextmanager
def _already_gone() -> Iterator[None]:
    """Somebody else may clear away at the same moment."""
    try:
        yield
    except NotFound:
        pass
    except APIError as error:
        if error.status_code != 409:  # its removal is in progress, or the volume is still in use
            raise
