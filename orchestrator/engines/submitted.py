"""One submitted cell, as what follows it to its manifest sees it."""

from __future__ import annotations

from typing import NamedTuple

from manifests.manifest import Status
from orchestrator.engines.base import Engine, Exit, Handle, Where


class Submitted(NamedTuple):
    """A cell at its engine, by its handle."""

    engine: Engine
    handle: Handle

    def where(self) -> Where:
        return self.engine.where(self.handle)

    def read(self, timeout_s: float) -> bytes | None:
        return self.engine.events(self.handle, timeout_s)

    def ask_to_stop(self, status: Status, reason: str) -> None:
        self.engine.cancel(self.handle, status, reason)

    def kill(self) -> None:
        self.engine.kill(self.handle)

    def wait(self) -> Exit:
        return self.engine.collect(self.handle)
