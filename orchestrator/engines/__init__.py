"""Where cells run. An engine is one file here and one entry in ``ENGINES``.

An engine makes an image ready, starts one cell, and hands over what the cell prints. It
knows nothing of plans, manifests or retries.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, Protocol

from manifests.manifest import ImageUsed, Status
from manifests.select import nearest
from orchestrator.errors import InputError
from orchestrator.images import Image

Tell = Callable[[str], None]
"""Takes one line of news about a long piece of work."""


class Order(NamedTuple):
    """One cell to run. ``folder`` holds cell.json and context.json and takes the results."""

    folder: Path
    data: Path | None
    weights: Path | None
    threads: int


class Exit(NamedTuple):
    """How a cell's process ended: ``signal`` is 0 unless it was killed by one.

    ``oom`` is True only when the engine itself says that memory ran out.
    """

    code: int
    signal: int = 0
    oom: bool = False


class Running(Protocol):
    """A started cell."""

    def read(self, timeout_s: float) -> bytes | None:
        """Bytes that it printed: b"" when there were none in time, None at the end."""

    def ask_to_stop(self, status: Status, reason: str) -> None:
        """Have it write its manifest with ``status`` (cancelled or timeout) and end."""

    def kill(self) -> None:
        """End it and everything that it started, now."""

    def wait(self) -> Exit:
        """Wait for the end and give back what it held."""


class Engine(Protocol):
    """A place where cells run."""

    name: str

    def status(self, image: Image) -> str:
        """ "ready", or what it would take to make the image ready, in one line."""

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        """Make the image ready. Raises KitError with the last lines of what failed."""

    def start(self, image: Image, order: Order) -> Running:
        """Start one cell in a prepared image. Raises KitError."""


def _local() -> Engine:
    from orchestrator.engines.local import LocalEngine

    return LocalEngine()


ENGINES: dict[str, Callable[[], Engine]] = {"local": _local}
AUTO = "auto"


def make_engine(name: str) -> Engine:
    """The engine called ``name``; ``auto`` chooses. Raises InputError with the names."""
    if name == AUTO:
        name = "local"
    if name not in ENGINES:
        accepted = [AUTO, *ENGINES]
        raise InputError(
            f"no engine {name!r}.{nearest(name, accepted)} Accepted: {', '.join(accepted)}"
        )
    return ENGINES[name]()
