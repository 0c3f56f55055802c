"""The local engine: a cell is a process in the image's virtual environment."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
from pathlib import Path

from manifests.files import write_atomically
from manifests.manifest import ImageUsed, Status
from orchestrator import places
from orchestrator.engines import Exit, Order, Tell, venvs
from orchestrator.errors import MachineError
from orchestrator.images import Image

_CHUNK = 65536


class LocalEngine:
    """Runs ``python -m runners`` in a session of its own, beside this process."""

    name = "local"

    def status(self, image: Image) -> str:
        if venvs.ready(image):
            return "ready"
        return f"not built; about {image.file.download_mb} MB to download"

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        venvs.build(image, tell)
        return ImageUsed(name=image.name, kind="venv", lock_sha256=image.lock_sha256)

    def start(self, image: Image, order: Order) -> LocalCell:
        return LocalCell(_command(venvs.interpreter(image), order), order.folder)


def _command(interpreter: Path, order: Order) -> list[str]:
    folder = order.folder
    command = [
        str(interpreter), "-m", "runners", str(folder / "cell.json"), str(folder),
        "--context", str(folder / "context.json"), "--threads", str(order.threads),
        "--parent", str(os.getpid()),
    ]  # fmt: skip
    if order.data is not None:
        command += ["--data", str(order.data)]
    if order.weights is not None:
        command += ["--weights", str(order.weights)]
    return command


class LocalCell:
    """A running cell. Ctrl-C at the terminal reaches the orchestrator only."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self._folder = folder
        self._exit: Exit | None = None
        self._stderr = open(folder / "stderr.txt", "wb")
        environment = {**venvs.clean_environment(), "PYTHONPATH": str(places.ROOT)}
        try:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self._stderr,
                cwd=folder, env=environment, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._stderr.close()
            raise MachineError(f"the cell can't be started ({command[0]}): {error}") from error

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
        return Exit(code=max(code, 0), signal=max(-code, 0))

    def _signal(self, number: signal.Signals, group: bool) -> None:
        try:
            if group:
                os.killpg(self._process.pid, number)
            else:
                self._process.send_signal(number)
        except ProcessLookupError:
            pass
