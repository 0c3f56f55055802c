"""Whose containers are whose, and clearing away what dead orchestrators left.

Every container and volume carries the name of its orchestrator, and an orchestrator that
lives holds a lock of that name in the cache. The kernel lets go of the lock when it dies. A
container whose orchestrator has no lock in this cache belongs to somebody else.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from docker.errors import APIError, NotFound

from manifests import paths
from orchestrator.engines.base import Order
from orchestrator.engines.docker.daemon import GONE, Daemon
from orchestrator.file_lock import HeldError, exclusive, lock_names

OWNER, RUN, CELL = "repliquant.orchestrator", "repliquant.run", "repliquant.cell"
OUTLIVES = "repliquant.outlives"
"""The container goes on when its orchestrator dies: while it runs, somebody may attach to it."""
# A container that an orchestrator asked for may appear after its last look for it, and a daemon
# that was killed may bring one back that it had removed.
_LOCK_KEPT_S = 3600.0
# A daemon that has just come back, or is busy, refuses for a moment to remove a container.
_REMOVED_WITHIN_S = 15.0
_LOOK_AGAIN_S = 0.5


class Identity:
    """This orchestrator's name, and its lock for as long as ``held``."""

    def __init__(self, daemon: Daemon) -> None:
        self.name = uuid.uuid4().hex
        self._daemon = daemon

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Live. What is left at the end is removed; where that fails, the next run sees it dead.

        The lock stays for an hour, for what appears only afterwards.
        """
        path = _locks(self._daemon) / self.name
        path.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(path):
            try:
                yield
            finally:
                with contextlib.suppress(APIError, *GONE):
                    self._clear_away()
                with contextlib.suppress(FileNotFoundError):
                    os.utime(path)

    def _clear_away(self) -> None:
        end = time.monotonic() + _REMOVED_WITHIN_S
        while _remove(self._daemon, lambda owner: owner == self.name).left:
            if time.monotonic() > end:
                break
            time.sleep(_LOOK_AGAIN_S)

    def labels(self, order: Order) -> dict[str, str]:
        """Labels of a cell's container."""
        return {OWNER: self.name, RUN: order.run, CELL: order.cell}


def reap(daemon: Daemon) -> int:
    """Remove the containers and volumes of dead orchestrators; how many containers."""
    locks = _locks(daemon)
    removed = _remove(daemon, lambda owner: owner.isalnum() and _is_dead(locks / owner)).containers
    for path in lock_names(locks):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _LOCK_KEPT_S and _is_dead(path):
                path.unlink()
    return removed


class _Removed(NamedTuple):
    """How many containers were removed, and how many containers and volumes could not be."""

    containers: int
    left: int


def _remove(daemon: Daemon, theirs: Callable[[str], bool]) -> _Removed:
    """Remove the containers and volumes whose owner is one of ``theirs``."""
    api = daemon.client.api
    labelled = {"label": OWNER}
    containers = [
        _gone(functools.partial(api.remove_container, found["Id"], force=True, v=True))
        for found in api.containers(all=True, filters=labelled)
        if theirs(found["Labels"].get(OWNER, "")) and not _goes_on(found)
    ]
    volumes = [
        _gone(functools.partial(api.remove_volume, found["Name"], force=True))
        for found in api.volumes(filters=labelled)["Volumes"] or []
        if theirs((found.get("Labels") or {}).get(OWNER, ""))
    ]
    return _Removed(sum(containers), [*containers, *volumes].count(False))


def _goes_on(container: dict[str, Any]) -> bool:
    return OUTLIVES in container["Labels"] and container.get("State") == "running"


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
    name = "".join(c for c in daemon.id if c.isalnum())
    return paths.cache() / "orchestrators" / (name or "daemon")


def _gone(remove: Callable[[], object]) -> bool:
    """Whether it is; what can't be removed now must not keep the rest from it."""
    try:
        remove()
    except NotFound:
        pass  # somebody else clears away at the same moment
    except APIError:
        return False
    return True
