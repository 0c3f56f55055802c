"""A cell's container that an earlier orchestrator started, followed from disk to its end."""

from __future__ import annotations

from typing import Any

from docker.errors import APIError, NotFound

from orchestrator.engines.base import Order, Tell
from orchestrator.engines.docker.container import DockerCell
from orchestrator.engines.docker.daemon import GONE, Daemon
from orchestrator.engines.events_tail import EventsTail


def named(name: str) -> str:
    """The name of the container of a handle's name."""
    return f"repliquant-{name}"


def find(daemon: Daemon, order: Order, tell: Tell, name: str) -> FoundContainer | None:
    """The container of a handle, while it runs. Raises APIError and GONE."""
    try:
        container = daemon.client.containers.get(named(name))
    except NotFound:
        return None
    return FoundContainer(daemon, order, tell, container) if container.status == "running" else None


class FoundContainer(DockerCell):
    """Its folder is mounted: what it says is in there."""

    def __init__(self, daemon: Daemon, order: Order, tell: Tell, container: Any) -> None:
        super().__init__(daemon, order, tell)
        self._container = container
        self._tail = EventsTail(order.folder, self.ended)

    @property
    def _mounted(self) -> bool:
        return True

    def read(self, timeout_s: float) -> bytes | None:
        return self._tail.read(timeout_s)

    def ended(self) -> bool:
        if not super().ended() and not self._runs():
            self._at_end()
        return super().ended()

    def _runs(self) -> bool:
        """A daemon that is away, or knows nothing of it, has the last word at its end."""
        try:
            state = self._daemon.client.api.inspect_container(self._container.id)["State"]
        except (APIError, *GONE):
            return False
        return bool(state["Running"])
