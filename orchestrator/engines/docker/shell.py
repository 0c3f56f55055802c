"""A shell in a container that may do what a cell's may, and has a terminal where we have one."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import tempfile
import termios
import threading
import tty
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from docker.errors import APIError

from manifests.errors import InputError
from orchestrator.engines.base import Order
from orchestrator.engines.docker import settings
from orchestrator.engines.docker.daemon import GONE, Daemon
from orchestrator.engines.docker.engine import DockerEngine
from orchestrator.engines.docker.stream import Connection, frames
from orchestrator.environments.images import Image

_SCRATCH = "repliquant-shell-"
_SHELL = ["/bin/sh", "-c", "command -v bash >/dev/null && exec bash --norc --noprofile; exec sh"]
_CHUNK = 65536


def shell(image: Image, command: Sequence[str]) -> int:
    """Run ``command``, else a shell, in a container of the image; its exit status.

    /cell is a folder of its own, which goes with the container. The image has been made. Raises
    RepliquantError.
    """
    engine = DockerEngine()
    with engine.session(lambda note: None), _scratch(engine.daemon) as folder:
        order = Order(run="", cell="", folder=folder, data=None, weights=None, threads=0)
        built, given, volumes = engine.arguments(image, order)
        given |= {"entrypoint": list(command) or _SHELL, "command": [], "tty": os.isatty(0)}
        given["environment"] = {**given["environment"], **_terminal(image)}
        given["working_dir"] = settings.CELL
        with engine.daemon.explained():
            try:
                return _run(engine.daemon, built, given)
            finally:
                for name in volumes:
                    with contextlib.suppress(APIError, *GONE):
                        engine.daemon.client.api.remove_volume(name, force=True)


@contextlib.contextmanager
def _scratch(daemon: Daemon) -> Iterator[Path]:
    """Root's folder is given to who runs inside."""
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, ignore_cleanup_errors=True) as folder:
        if os.getuid() == 0 and daemon.shares_files:
            os.chown(folder, *settings.outside(daemon))
        yield Path(folder)


def _terminal(image: Image) -> dict[str, str]:
    return {"TERM": os.environ.get("TERM", "dumb"), "PS1": f"({image.name}) $ "}


def _run(daemon: Daemon, image: str, given: dict[str, Any]) -> int:
    container = daemon.client.containers.create(image, **given)
    try:
        with (
            _started(daemon, container, given["entrypoint"][0]) as connection,
            _raw(container) if given["tty"] else contextlib.nullcontext(),
        ):
            _talk(connection, given["tty"])
        return int(container.wait()["StatusCode"])
    finally:
        with contextlib.suppress(APIError, *GONE):
            container.remove(force=True, v=True)


@contextlib.contextmanager
def _started(daemon: Daemon, container: Any, program: str) -> Iterator[Connection]:
    """The container's streams. Podman looks for the program when they are asked for already."""
    asked = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
    with contextlib.ExitStack() as stack:
        try:
            attached = daemon.client.api.attach_socket(container.id, params=asked)
            connection = Connection(attached)
            stack.callback(connection.close)
            container.start()
        except APIError as error:
            said = str(error.explanation)
            if "not found" in said or "no such file" in said.lower():
                raise InputError(
                    f"{program!r} is not in this image. Name a program that it has, e.g. python"
                ) from error
            raise
        yield connection


def _talk(connection: Connection, terminal: bool) -> None:
    """What is typed goes in, what it prints comes out, until it ends."""
    threading.Thread(target=_pass_input, args=(connection,), daemon=True).start()
    if not terminal:
        for stream, data in frames(connection):
            _write(2 if stream == 2 else 1, data)
        return
    while data := connection.recv(_CHUNK):
        _write(1, data)


def _pass_input(connection: Connection) -> None:
    with contextlib.suppress(OSError):
        while data := os.read(0, _CHUNK):
            connection.send(data)
        connection.end_input()


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


@contextlib.contextmanager
def _raw(container: Any) -> Iterator[None]:
    """Our terminal passes every key on, and its size."""
    before = termios.tcgetattr(0)

    def resize(*_: object) -> None:
        size = os.get_terminal_size(0)
        with contextlib.suppress(APIError, *GONE):
            container.resize(height=size.lines, width=size.columns)

    handler = signal.signal(signal.SIGWINCH, resize)
    sys.stdout.flush()
    tty.setraw(0)
    try:
        resize()
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)
        signal.signal(signal.SIGWINCH, handler)
