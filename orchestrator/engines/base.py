"""The contract of an engine: a place where cells run.

An engine makes images ready, takes cells, and says what becomes of them. It knows nothing of
plans, manifests or retries. One engine is one file or folder of this package, or of a folder
``engines/`` outside (see ``registry``), with an ``ENGINE`` in it.

**The way of a cell.** Its folder holds ``order.json``, everything that its launcher needs.
``submit`` writes ``handle.json`` beside it *before* the work is handed over, with a name that
nothing else has and by which the engine finds the work again. The launcher, on the node where
the cell runs, writes ``events.jsonl``, ``log.txt``, ``telemetry.jsonl``, and seals
``manifest.json``. ``poll`` says where it is, ``events`` what it prints, ``cancel`` asks for its
end, and ``collect`` waits for the end, fetches what it left, and gives back what it held.

**Whose end ends a cell.** Unless the engine ``detaches``, a cell ends with the orchestrator that
submitted it: the kernel sees to that, also after kill -9. Where it does, cells go on, in a queue
or not. In both cases an orchestrator that finds a handle in a cell's folder calls ``attach``: a
cell that waits or runs is followed to its end, and not started a second time. A cell that ended
meanwhile has its manifest, or, where its launcher died too, ``attach`` finds nothing and it is
run again.

**Time.** ``queued`` is no time of the cell: its limit counts from its launcher's start, and its
launcher keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import msgspec

from manifests.manifest import Container, ImageUsed, Status
from orchestrator.environments.images import Image
from orchestrator.messages import LogLine

Tell = Callable[[LogLine], None]
"""Takes messages about a long piece of work."""

State = Literal["queued", "running", "ended", "gone"]
"""``gone``: the engine knows nothing of it (any more)."""

HANDLE = "handle.json"


class Order(NamedTuple):
    """One cell to run. ``folder`` holds its order.json and takes the results.

    ``cpus`` are the processors it may use (empty: all), ``gpus`` the numbers or UUIDs of its GPUs,
    ``memory_bytes`` its limit (None: the engine's own). ``pretrained`` is the folder of published
    weights. ``after`` are cells, by id, that have been submitted and have to end well before it
    starts; only an engine whose ``capacity().queues`` gets any. ``shares``: the framework whose
    imports it may share with other cells, being one of hundreds of small ones; empty for none.
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
    after: tuple[str, ...] = ()
    shares: str = ""


class Handle(msgspec.Struct, frozen=True, kw_only=True):
    """``handle.json``: by what an engine finds a cell again that it was given.

    ``name`` is chosen before the work is handed over and occurs once: in the environment of a
    process, as the name of a container or of a job. ``known`` is what the engine learnt by handing
    it over (a process and its start, a container, the number of a job); it is empty when the
    orchestrator died in between.
    """

    schema: str = "repliquant/handle/1"
    engine: str
    cell: str
    name: str
    known: dict[str, str] = {}


class Exit(NamedTuple):
    """How a cell's launcher ended: ``signal`` is 0 unless it was killed by one.

    ``oom`` is True only when the engine itself says that memory ran out, ``where`` which. ``lost``
    says why the engine can't tell how it ended; such a cell is run again unless it left a manifest.
    ``verdict`` is the status and the reason of who ended it from outside, where that is known.
    """

    code: int
    signal: int = 0
    oom: bool = False
    lost: str = ""
    where: str = "it reached its memory limit"
    verdict: tuple[Status, str] | None = None


class Standing(NamedTuple):
    """Where a cell is, and in a few words what its engine says of it."""

    state: State
    words: str = ""


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


class Capacity(NamedTuple):
    """What an engine has for cells.

    ``cpus``: numbers of the processors that a cell can use; ``gpus``: names of the GPUs that it
    can give to one. ``at_once``: so many cells may be with it at a time, each with a machine of its
    own; None: one on the processors, one a GPU. ``queues``: it takes a cell before those that it
    starts from have ended, and keeps to ``Order.after``. ``here``: its cells run on this machine.
    """

    cpus: tuple[int, ...] = ()
    gpus: tuple[str, ...] = ()
    at_once: int | None = None
    queues: bool = False
    here: bool = True


class Engine(Protocol):
    """A place where cells run. Every method may be called from any thread."""

    name: str

    @property
    def words(self) -> str:
        """What it is, in a few words: ``Docker Engine 20.10``."""

    limits_memory: bool
    """Whether it can hold a cell to an amount of memory."""
    detaches: bool
    """Whether its cells go on when the orchestrator dies."""

    def capacity(self) -> Capacity:
        """What it has for cells."""

    def obstacle(self, image: Image) -> str:
        """Why no cell of the image can run here, whatever is tried; empty for none. It is cheap.

        Planning skips the cells of such an image with this reason.
        """

    def unavailable(self, image: Image) -> str:
        """Why the image is neither there nor can be made now; empty when nothing is in the way.

        It may ask a registry. ``auto`` takes an engine that has this for no image.
        """

    def status(self, image: Image) -> str:
        """ "ready", or what it would take to make the image ready, in one line."""

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        """Make the image ready. Raises RepliquantError with the last lines of what failed."""

    def verify(self, image: Image) -> tuple[bool, str]:
        """Whether a ready image passes its own checks, and what they print."""

    def interpreter(self, image: Image) -> Path | None:
        """A Python of a prepared image that can be run here; None where cells alone have one."""

    def session(self, tell: Tell) -> AbstractContextManager[None]:
        """Hold the engine for a run; on the way in, what dead orchestrators left is cleared.

        What a cell is attached to, or goes on by itself, is not cleared.
        """

    def container(self, image: Image, order: Order) -> Container | None:
        """What the cell's container will be allowed; None where there is none."""

    def submit(self, image: Image, orders: Sequence[Order]) -> list[Handle]:
        """Hand cells of a prepared image over, in their order; a handle each, which is on disk.

        A queue takes them as one array. Raises RepliquantError when one can't be started; those
        before it have been. Handles of cells that the engine itself lost are given back like
        others: ``collect`` says so.
        """

    def attach(self, image: Image, handle: Handle, order: Order) -> bool:
        """Take hold of what an earlier orchestrator submitted; False unless it waits or runs.

        From then on the handle is as one of its own; ``events`` begins at the cell's first.
        """

    def poll(self, handle: Handle) -> State:
        """Where it is now. Asking often is cheap."""

    def where(self, handle: Handle) -> Where:
        """Where it runs, for those who watch this machine."""

    def events(self, handle: Handle, timeout_s: float) -> bytes | None:
        """What it printed since: b"" when there was nothing in time, None at the end."""

    def cancel(self, handle: Handle, status: Status, reason: str) -> None:
        """Have it end with ``status`` (cancelled or timeout); one that waits never starts."""

    def kill(self, handle: Handle) -> None:
        """End it and everything that it started, now."""

    def collect(self, handle: Handle) -> Exit:
        """Wait for the end, fetch the results, and give back what it held."""


class Finding(NamedTuple):
    """What doctor says of it: ``state`` is ok, note (how it is here, and nothing is wrong), advice
    (somebody should do something about it) or problem, which alone keeps cells from running.
    """

    state: str
    what: str
    detail: str
    next_step: str = ""


class Entry(NamedTuple):
    """``ENGINE`` of an engine's module: how to have it, without having it.

    ``make`` raises MachineError where it can't be had here. ``rank`` is its place in ``auto``,
    which takes the first that lacks no image, and the last of them otherwise; None: only when it
    is asked for. ``with_python`` makes one that runs every cell with that interpreter, where there
    is such a thing. ``containers``: it runs images that exist as a container only. ``examine`` is
    what doctor tells of it. ``standings`` tells of cells in a queue, by their folders, within a
    second or so. ``shell`` runs a command (empty: a shell) in a prepared image, as a cell would,
    with the caller's terminal; its exit status.
    """

    make: Callable[[], Engine]
    rank: int | None = None
    with_python: Callable[[Path], Engine] | None = None
    containers: bool = False
    examine: Callable[[], Iterable[Finding]] = tuple
    standings: Callable[[Mapping[Path, Handle]], Mapping[Path, Standing]] | None = None
    shell: Callable[[Image, Sequence[str]], int] | None = None
