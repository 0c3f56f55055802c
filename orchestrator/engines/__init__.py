"""Where cells run. An engine is one file here and one entry in ``ENGINES``.

An engine makes an image ready, starts one cell, and hands over what the cell prints. It
knows nothing of plans, manifests or retries.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple, Protocol

from manifests.errors import InputError
from manifests.manifest import Container, ImageUsed, Status
from manifests.select import nearest
from orchestrator.environments.images import Image
from orchestrator.messages import Note

Tell = Callable[[Note], None]
"""Takes news about a long piece of work."""


class Order(NamedTuple):
    """One cell to run. ``folder`` holds cell.json and context.json and takes the results.

    ``cpus`` are the processors it may use (empty: all), ``gpus`` the numbers of its GPUs,
    ``memory_bytes`` its limit (None: the engine's own). ``pretrained`` is the folder of published
    weights.
    """

    run: str
    cell: str
    folder: Path
    data: Path | None
    weights: Path | None
    threads: int
    cpus: tuple[int, ...] = ()
    gpus: tuple[str, ...] = ()
    memory_bytes: int | None = None
    pretrained: Path | None = None


class Exit(NamedTuple):
    """How a cell's process ended: ``signal`` is 0 unless it was killed by one.

    ``oom`` is True only when the engine itself says that memory ran out, ``where`` which. ``lost``
    says why the engine can't tell how it ended; such a cell is run again.
    """

    code: int
    signal: int = 0
    oom: bool = False
    lost: str = ""
    where: str = "it reached its memory limit"


class Where(NamedTuple):
    """Where a started cell can be watched from outside.

    ``pid`` is its first process as this host numbers it, ``container`` the id of its container
    if it has one. Without a ``pid`` it can't be watched, and ``reason`` says why; ``elsewhere``
    says that it doesn't even run on this machine.
    """

    pid: int | None
    container: str = ""
    elsewhere: bool = False
    reason: str = ""


class Running(Protocol):
    """A started cell. Every method may be called from any thread."""

    def where(self) -> Where:
        """Where it runs, for those who watch this machine."""

    def read(self, timeout_s: float) -> bytes | None:
        """Bytes that it printed: b"" when there were none in time, None at the end."""

    def ask_to_stop(self, status: Status, reason: str) -> None:
        """Have it write its manifest with ``status`` (cancelled or timeout) and end."""

    def kill(self) -> None:
        """End it and everything that it started, now."""

    def wait(self) -> Exit:
        """Wait for the end, fetch the results, and give back what it held."""


class Engine(Protocol):
    """A place where cells run."""

    name: str
    limits_memory: bool  # whether it can hold a cell to an amount of memory

    def status(self, image: Image) -> str:
        """ "ready", or what it would take to make the image ready, in one line."""

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        """Make the image ready. Raises KitError with the last lines of what failed."""

    def verify(self, image: Image) -> tuple[bool, str]:
        """Whether a ready image passes its own checks, and what they print."""

    def cpus(self) -> list[int]:
        """Numbers of the processors that a cell can use where the engine runs it."""

    def gpus(self) -> list[str]:
        """Numbers of the GPUs that it can give to a cell."""

    def session(self, tell: Tell) -> AbstractContextManager[None]:
        """Hold the engine for a run; on the way in, what dead orchestrators left is cleared."""

    def container(self, image: Image, order: Order) -> Container | None:
        """What the cell's container will be allowed; None where there is none."""

    def start(self, image: Image, order: Order) -> Running:
        """Start one cell in a prepared image. Raises KitError."""


def _local() -> Engine:
    from orchestrator.engines.local import LocalEngine

    return LocalEngine()


def _docker() -> Engine:
    from orchestrator.engines.docker.engine import DockerEngine

    return DockerEngine()


ENGINES: dict[str, Callable[[], Engine]] = {"docker": _docker, "local": _local}
AUTO = "auto"


def make_engine(name: str, python: Path | None = None) -> Engine:
    """The engine called ``name``; ``python`` replaces the environments of the local one.

    Raises InputError with the names, MachineError without one.
    """
    if python is not None:
        return _given(name, python)
    if name not in ENGINES:
        accepted = [AUTO, *ENGINES]
        raise InputError(
            f"no engine {name!r}.{nearest(name, accepted)} Accepted: {', '.join(accepted)}"
        )
    return ENGINES[name]()


def _given(name: str, python: Path) -> Engine:
    from orchestrator.engines.interpreter import GivenEngine

    if name not in (AUTO, "local"):
        raise InputError(f"--python goes with --engine local; {name!r} brings its own interpreter")
    return GivenEngine(python)
