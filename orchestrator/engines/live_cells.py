"""Engines whose cells an object of this process follows: submit, poll, events, cancel, collect."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from manifests.files import write_atomically
from manifests.manifest import Status
from manifests.msgspec_threads import looked_at
from orchestrator.engines.base import HANDLE, Exit, Handle, Order, State, Where
from orchestrator.environments.images import Image


class Running(Protocol):
    """A started cell. Every method may be called from any thread."""

    def where(self) -> Where:
        """Where it runs, for those who watch this machine."""

    def read(self, timeout_s: float) -> bytes | None:
        """Bytes that it printed: b"" when there were none in time, None at the end."""

    def ask_to_stop(self, status: Status, reason: str) -> None:
        """Have it leave its manifest with ``status`` (cancelled or timeout) and end."""

    def kill(self) -> None:
        """End it and everything that it started, now."""

    def wait(self) -> Exit:
        """Wait for the end, fetch the results, and give back what it held."""


class LiveCell(Running, Protocol):
    """One that its engine can say more of."""

    def ended(self) -> bool:
        """Whether its end has come."""

    def known(self) -> dict[str, str]:
        """By what it is found again, beside the handle's name."""


class LiveCells:
    """The half of the contract that is about cells; an engine adds ``start`` and ``find``."""

    name: str

    def __init__(self) -> None:
        self._live: dict[str, LiveCell] = {}

    def start(self, image: Image, order: Order, name: str = "") -> LiveCell:
        """Start one cell in a prepared image, under the handle's name. Raises RepliquantError."""
        raise NotImplementedError

    def find(self, image: Image, order: Order, handle: Handle) -> LiveCell | None:
        """The cell of an earlier orchestrator's handle, while it runs."""
        return None

    def submit(self, image: Image, orders: Sequence[Order]) -> list[Handle]:
        """See the contract."""
        return [self._submit(image, order) for order in orders]

    def _submit(self, image: Image, order: Order) -> Handle:
        handle = Handle(engine=self.name, cell=order.cell, name=uuid.uuid4().hex)
        write_handle(order.folder, handle)
        live = self.start(image, order, handle.name)
        self._live[handle.name] = live
        handle = msgspec.structs.replace(handle, known=live.known())
        try:
            write_handle(order.folder, handle)
        except OSError:
            self.kill(handle)
            self.collect(handle)
            raise
        return handle

    def attach(self, image: Image, handle: Handle, order: Order) -> bool:
        """See the contract."""
        found = self.find(image, order, handle) if handle.engine == self.name else None
        if found is not None:
            self._live[handle.name] = found
        return found is not None

    def poll(self, handle: Handle) -> State:
        """See the contract."""
        live = self._live.get(handle.name)
        return "gone" if live is None else "ended" if live.ended() else "running"

    def where(self, handle: Handle) -> Where:
        """See the contract."""
        return self._live[handle.name].where()

    def events(self, handle: Handle, timeout_s: float) -> bytes | None:
        """See the contract."""
        return self._live[handle.name].read(timeout_s)

    def cancel(self, handle: Handle, status: Status, reason: str) -> None:
        """See the contract."""
        if handle.name in self._live:
            self._live[handle.name].ask_to_stop(status, reason)

    def kill(self, handle: Handle) -> None:
        """See the contract."""
        if handle.name in self._live:
            self._live[handle.name].kill()

    def collect(self, handle: Handle) -> Exit:
        """See the contract."""
        ended = self._live[handle.name].wait()
        self._live.pop(handle.name, None)
        return ended


def write_handle(folder: Path, handle: Handle, durable: bool = True) -> None:
    """Into a cell's folder. Raises OSError. One that isn't ``durable`` outlives this process, but
    not a power cut.
    """
    data = msgspec.json.encode(handle) + b"\n"
    if durable:
        write_atomically(folder / HANDLE, data)
    else:
        (folder / HANDLE).write_bytes(data)


def read_handle(folder: Path) -> Handle | None:
    """That of a cell's folder; None where there is none that can be read."""
    try:
        return msgspec.json.decode((folder / HANDLE).read_bytes(), type=looked_at(Handle))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return None
