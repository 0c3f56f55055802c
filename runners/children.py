"""The two processes that a launcher starts beside each other: the cell, and its sampler."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import List, Optional

import msgspec

from machine import processes
from machine.recorder import Record, recovered, unrecorded
from runners import lifeline
from runners.relay import Outlet


class CellProcess:
    """``python -m runners``; it ends with this process, whatever ends that."""

    def __init__(self, arguments: List[str], module: str) -> None:
        with lifeline.held_back():
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments, "--parent", str(os.getpid())],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0,
            )  # fmt: skip
        assert self._process.stdout is not None
        self.pid = self._process.pid
        self.output = self._process.stdout.fileno()
        os.set_blocking(self.output, False)

    def ended(self) -> bool:
        return self._process.poll() is not None

    @property
    def code(self) -> int:
        """Its exit status, negative for the signal that ended it."""
        return self._process.wait()

    def read(self) -> Optional[bytes]:
        """What it has said, b"" at the end, None when there is nothing just now."""
        try:
            return os.read(self.output, 65536)
        except BlockingIOError:
            return None

    def signal(self, number: int) -> None:
        if not self.ended():
            self._process.send_signal(number)


class SamplerProcess:
    """``python -m runners.telemetry``; what becomes of it is never the cell's harm."""

    def __init__(self, folder: Path, cell: int) -> None:
        self._folder = folder
        self._answer = b""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "runners.telemetry", str(folder), str(cell)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0,
        )  # fmt: skip
        assert self._process.stdin is not None and self._process.stdout is not None
        self.outlet = Outlet(self._process.stdin.fileno())
        self.output = self._process.stdout.fileno()

    def hang_up(self) -> None:
        """Have it come to its end."""
        self.outlet.drop()
        assert self._process.stdin is not None
        self._process.stdin.close()

    def hear(self) -> bool:
        """Take a part of its answer, which has come; whether that was the last one."""
        chunk = os.read(self.output, 65536)
        self._answer += chunk
        return not chunk

    def record(self) -> Record:
        """What it found; of one that did not come to its end, what its series says."""
        if self._process.poll() is None and not self._answer:
            why = "the sampler did not come to its end and was killed"
        else:
            why = "the sampler was killed or failed before it summed up its series"
        self._process.kill()
        self._process.wait()
        try:
            return msgspec.json.decode(self._answer, type=Record)
        except msgspec.MsgspecError:
            return recovered(self._folder, why) or unrecorded(why)


def clear_group() -> None:
    """Kill what a cell started and left behind, where this process leads a group of its own."""
    if not hasattr(os, "getpgrp") or os.getpgrp() != os.getpid():
        return
    for one in processes.processes():
        if one.group == os.getpid() and one.pid != os.getpid():
            try:
                os.kill(one.pid, signal.SIGKILL)
            except OSError:
                continue
