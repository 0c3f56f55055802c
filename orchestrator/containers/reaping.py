"""Whose containers are whose, and clearing away what dead orchestrators left.

Every container and volume carries the name of its orchestrator, and an orchestrator that
lives holds a lock of that name in the cache. The kernel lets go of the lock when it dies. A
container whose orchestrator has no lock in this cache belongs to somebody else.
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from docker.errors import APIError, NotFound

from orchestrator import places
from orchestrator.containers.daemon import GONE, Daemon
from orchestrator.engines import Order
from orchestrator.locks import HeldError, exclusive

OWNER, RUN, CELL = "repliquant.orchestrator", "repliquant.run", "repliquant.cell"
# A container that a dead orchestrator asked for may appear after the first look for it.
_LOCK_KEPT_S = 3600.0


class Identity:
    """This orchestrator's name, and its lock for as long as ``held``."""

    def __init__(self, daemon: Daemon) -> None:
        self.name = uuid.uuid4().hex
        self._daemon = daemon

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Live. What is left at the end is removed; where that fails, the next run sees it dead."""
        path = _locks(self._daemon) / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(path):
            try:
                yield
            finally:
                with contextlib.suppress(APIError, *GONE):
                    _remove(self._daemon, lambda owner: owner == self.name)
                    path.unlink()

    def labels(self, order: Order) -> dict[str, str]:
        """Labels of a cell's container."""
        return {OWNER: self.name, RUN: order.run, CELL: order.cell}


def reap(daemon: Daemon) -> int:
    """Remove the containers and volumes of dead orchestrators; how many containers."""
    locks = _locks(daemon)
    removed = _remove(daemon, lambda owner: owner.isalnum() and _is_dead(locks / owner))
    for path in locks.glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _LOCK_KEPT_S and _is_dead(path):
                path.unlink()
    return removed


def _remove(daemon: Daemon, theirs: Callable[[str], bool]) -> int:
    """Remove the containers and volumes whose owner is one of ``theirs``; how many containers."""
    removed = 0
    labelled = {"label": OWNER}
    for container in daemon.client.api.containers(all=True, filters=labelled):
        if theirs(container["Labels"].get(OWNER, "")):
            with _already_gone():
                daemon.client.api.remove_container(container["Id"], force=True, v=True)
                removed += 1
    for volume in daemon.client.api.volumes(filters=labelled)["Volumes"] or []:
        if theirs((volume.get("Labels") or {}).get(OWNER, "")):
            with _already_gone():
                daemon.client.api.remove_volume(volume["Name"], force=True)
    return removed


def _is_dead(lock: Path) -> bool:
    """Whether the orchestrator was of this cache and lives no more."""
    if not lock.exists():
        return False
    try:
        with exclusive(lock):
            return True
    except HeldError:
        return False


def _locks(daemon: Daemon) -> Path:
    """The locks of those who use this daemon, which has a name that it keeps."""
    name = "".join(c for c in str(daemon.info.get("ID", "")) if c.isalnum())
    return places.cache() / "orchestrators" / (name or "daemon")


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
