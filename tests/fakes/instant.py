"""An engine whose cells are no processes: each ends at once, one in turn as something else.

The executor, the control and the run's folder around it are the real ones.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import msgspec

from manifests.cell import Cell
from manifests.codec import encode_manifest
from manifests.event import Phase, Step, encode
from manifests.files import write_atomically
from manifests.manifest import ImageUsed, Status
from orchestrator.engines import local
from orchestrator.engines.base import Exit, Order, Tell, Where
from orchestrator.environments.images import Image
from orchestrator.messages import LogLine
from tests.manifests.samples import a_manifest

ENDS: tuple[Status, ...] = ("ok", "ok", "crashed", "ok", "oom", "unsupported")


class InstantEngine(local.LocalEngine):
    """Needs no environment and no framework."""

    name = "local"

    def __init__(self, cell_s: float = 0.05) -> None:
        super().__init__()
        self._cell_s = cell_s
        self._ends: Iterator[Status] = itertools.cycle(ENDS)

    def status(self, image: Image) -> str:
        return "ready"

    def gpus(self) -> list[str]:
        return []

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        tell(LogLine(f"preparing {image.name}", "detail", 1, 2))
        return ImageUsed(name=image.name, kind="given")

    def obstacle(self, image: Image) -> str:
        return ""

    def start(self, image: Image, order: Order, name: str = "") -> InstantCell:
        return InstantCell(order, next(self._ends), self._cell_s)


class InstantCell:
    """Says what a training cell says, then leaves a manifest of this status."""

    def __init__(self, order: Order, status: Status, cell_s: float) -> None:
        self._order, self._status, self._cell_s = order, status, cell_s
        self._told = False
        self._stopped = threading.Event()

    def where(self) -> Where:
        return Where(None, reason="it is no process")

    def read(self, timeout_s: float) -> bytes | None:
        if not self._told:
            self._told = True
            phase, step = Phase(time_s=0, name="train"), Step(time_s=0.1, step=3, of=9, loss=1.5)
            return encode(phase) + encode(step)
        if not self._stopped.wait(min(timeout_s, self._cell_s)):
            self._leave(self._status)
        return None

    def ask_to_stop(self, status: Status, reason: str) -> None:
        if not self._stopped.is_set():
            self._stopped.set()
            self._leave(status)

    def kill(self) -> None:
        self._stopped.set()

    def ended(self) -> bool:
        return self._stopped.is_set()

    def known(self) -> dict[str, str]:
        return {}

    def wait(self) -> Exit:
        return Exit(code=0)

    def _leave(self, status: Status) -> None:
        cell = msgspec.json.decode((self._order.folder / "cell.json").read_bytes(), type=Cell)
        reason = "" if status == "ok" else f"it was {status}"
        manifest = a_manifest(cell, status=status, reason=reason, transient=status == "cancelled")
        write_atomically(self._order.folder / "manifest.json", encode_manifest(manifest))
