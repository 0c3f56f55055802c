"""The local engine: a cell is a process in the image's virtual environment."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from contextlib import AbstractContextManager
from pathlib import Path

from machine.allotment import CUDA
from machine.cgroup import MemoryKills
from machine.inventory import usable_cpus, visible_gpus
from manifests import paths
from manifests.errors import MachineError
from manifests.files import write_atomically
from manifests.manifest import Container, ImageUsed, Status
from orchestrator.engines import found_process
from orchestrator.engines.base import Capacity, Exit, Handle, Order, Tell, Where
from orchestrator.engines.live_cells import LiveCell, LiveCells
from orchestrator.engines.shared_parents import SharedParents
from orchestrator.environments import venvs
from orchestrator.environments.images import Image
from orchestrator.environments.pythons import clean_environment, find_interpreter

_CHUNK = 65536


class LocalEngine(LiveCells):
    """Runs ``python -m runners.launcher`` in a session of its own, beside this process.

    One that ``detaches`` leaves its cells running when this process dies.
    """

    name = "local"
    words = "this machine"
    limits_memory = False

    def __init__(self, detaches: bool = False) -> None:
        super().__init__()
        self.detaches = detaches
        self._parents = SharedParents()

    def capacity(self) -> Capacity:
        return Capacity(tuple(self.cpus()), tuple(self.gpus()))

    def obstacle(self, image: Image) -> str:
        return venvs.obstacle(image)

    def unavailable(self, image: Image) -> str:
        return self.obstacle(image)

    def status(self, image: Image) -> str:
        if not image.lock.exists():
            return f"not locked; run: repliquant images lock {image.name}"
        if venvs.ready(image):
            return "ready"
        if image.container_only:
            return "a container only, which this engine can't run"
        made = f"not built; about {image.file.download_mb} MB to download"
        if self.obstacle(image):
            return made
        return f"{made}; will use {find_interpreter(image.file.python)}"

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        done = venvs.build(image, tell)
        return ImageUsed(
            name=image.name, kind="venv", lock_sha256=image.lock_sha256, unhashed=done.unhashed
        )

    def verify(self, image: Image) -> tuple[bool, str]:
        done = subprocess.run(
            [self.interpreter(image), *venvs.verify_command(image)[1:]],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
            check=False, env=venvs.verify_environment(),
        )  # fmt: skip
        return done.returncode == 0, done.stdout + (done.stderr if done.returncode else "")

    def cpus(self) -> list[int]:
        return usable_cpus()

    def gpus(self) -> list[str]:
        return list(visible_gpus().gpus)

    def session(self, tell: Tell) -> AbstractContextManager[None]:
        return self._parents.session()

    def container(self, image: Image, order: Order) -> Container | None:
        return None

    def start(self, image: Image, order: Order, name: str = "") -> LiveCell:
        return self._forked(image, order, name) or self._alone(image, order, name)

    def _forked(self, image: Image, order: Order, name: str) -> LiveCell | None:
        """Of a process that has imported what the cell does; None where it starts by itself.

        An engine that starts cells in a way of its own starts every cell in it.
        """
        own = type(self).command is not LocalEngine.command
        if not order.shares or self.detaches or own:
            return None
        return self._parents.start(self.interpreter(image), order, name)

    def _alone(self, image: Image, order: Order, name: str) -> LiveCell:
        return LocalCell(self.command(image, order), order, name)

    def command(self, image: Image, order: Order) -> list[str]:
        """What starts a cell's launcher."""
        command = [str(self.interpreter(image)), "-m", "runners.launcher", str(order.folder)]
        return command if self.detaches else [*command, "--parent", str(os.getpid())]

    def find(self, image: Image, order: Order, handle: Handle) -> LiveCell | None:
        found = found_process.find(handle)
        return None if found is None else found_process.FoundProcess(found, order.folder)

    def interpreter(self, image: Image) -> Path:
        """The Python that runs the image's cells."""
        return venvs.interpreter(image)


def _environment(order: Order, name: str = "") -> dict[str, str]:
    environment = {**clean_environment(), **paths.cell_variables()}
    if name:
        environment[found_process.VARIABLE] = name
    if order.gpus:
        if CUDA not in environment:  # numbers of the driver; else they are numbers of CUDA's
            environment["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
        environment[CUDA] = ",".join(order.gpus)
    return environment


class LocalCell:
    """A running cell. Ctrl-C at the terminal reaches the orchestrator only."""

    def __init__(self, command: list[str], order: Order, name: str = "") -> None:
        self._folder = order.folder
        self._exit: Exit | None = None
        self._kills = MemoryKills()
        self._stderr = open(order.folder / "stderr.txt", "wb")
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._stderr,
                cwd=order.folder, env=_environment(order, name), start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._stderr.close()
            raise MachineError(f"the cell can't be started ({command[0]}): {error}") from error
        if order.cpus:
            self._pin(order.cpus)

    def _pin(self, cpus: tuple[int, ...]) -> None:
        """Hold the process to some processors; whatever it starts inherits that."""
        try:
            os.sched_setaffinity(self._process.pid, cpus)
        except (OSError, AttributeError) as error:  # not every system can
            self.kill()
            self.wait()
            raise MachineError(f"the cell can't be held to processors {cpus}: {error}") from error

    def where(self) -> Where:
        return Where(self._process.pid)

    def known(self) -> dict[str, str]:
        return found_process.identity(self._process.pid)

    def ended(self) -> bool:
        return self._exit is not None or _has_ended(self._process.pid)

    def read(self, timeout_s: float) -> bytes | None:
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        readable, _, _ = select.select([descriptor], [], [], timeout_s)
        if not readable:
            return b""
        return os.read(descriptor, _CHUNK) or None

    def ask_to_stop(self, status: Status, reason: str) -> None:
        message = json.dumps({"status": status, "reason": reason}).encode()
        try:
            write_atomically(self._folder / "stop.json", message)
        except OSError:
            pass  # without the file it stops as cancelled
        self._signal(signal.SIGTERM, group=False)

    def kill(self) -> None:
        self._signal(signal.SIGKILL, group=True)

    def wait(self) -> Exit:
        if self._exit is None:
            self._exit = self._reap()
        return self._exit

    def _reap(self) -> Exit:
        # Its group is cleared away before its number can be given to somebody else.
        os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        self._signal(signal.SIGKILL, group=True)
        code = self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._stderr.close()
        where = self._kills.since() if code else ""
        ended = Exit(code=max(code, 0), signal=max(-code, 0))
        # Another signal than the kernel's own has another reason.
        if not where or ended.signal not in (0, signal.SIGKILL):
            return ended
        return ended._replace(oom=True, where=where)

    def _signal(self, number: signal.Signals, group: bool) -> None:
        try:
            if group:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)
        except ProcessLookupError:
            pass


def _has_ended(pid: int) -> bool:
    """Without taking its exit status, which is ``wait``'s."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG) is not None
    except ChildProcessError:
        return True
