"""``python -m runners.launcher FOLDER``: run the cell of FOLDER/order.json to its manifest.

The launcher starts the cell and a sampler beside each other where it runs, passes the cell's
events on, ends it at its time limit or when asked (SIGTERM or SIGHUP, with FOLDER/stop.json saying
why), and seals FOLDER/manifest.json: once, whole, whoever else is there. In between it sleeps, but
for a look at the kernel's kills for lack of memory every few seconds.

Exit status: 0 ok, 1 the cell failed (its manifest says how), 2 the order can't be used, 3 the
folder can't be written to or has a manifest already.
"""

from __future__ import annotations

import argparse
import datetime
import os
import select
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Callable, List, Optional, Tuple, Union

import msgspec

from machine import seal
from machine.cgroup import MemoryKills
from machine.recorder import Record
from manifests import order
from manifests.codec import UnreadableError, read_struct
from manifests.credentials import redact_file
from manifests.files import write_atomically
from manifests.manifest import Manifest, Status
from manifests.order import CellOrder
from runners import lifeline
from runners.children import CellProcess, SamplerProcess, clear_group
from runners.relay import Outlet, Relay

if TYPE_CHECKING:
    from runners.forked_cell import ForkedCell

_ASK_AGAIN_S = 1.0
_LOOK_EVERY_S = 5.0

Starting = Callable[[List[str], str], Union[CellProcess, "ForkedCell"]]


def main(arguments: Optional[List[str]] = None, starting: Starting = CellProcess) -> int:
    """See the module. ``starting`` starts the cell's process."""
    given = _parser().parse_args(arguments)
    if given.parent:
        lifeline.die_with(given.parent)
    try:
        ordered = read_struct(given.folder / order.FILE_NAME, CellOrder)
    except (UnreadableError, OSError) as error:
        return _refuse(error, 2)
    manifest = given.folder / seal.MANIFEST
    if manifest.exists():
        there = FileExistsError(f"{manifest} exists; manifests are never overwritten")
        return _refuse(there, 3)
    try:
        sealed = Launch(given, ordered, starting).run()
    except OSError as error:
        return _refuse(error, 3)
    return 0 if sealed.status == "ok" else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m runners.launcher", description=__doc__)
    parser.add_argument("folder", type=Path, help="the cell's folder, with its order.json")
    parser.add_argument("--data", help="where the prepared data set lies, if not as ordered")
    parser.add_argument("--weights", help="the folder of the cell to start from, likewise")
    parser.add_argument("--pretrained", help="the folder of published weights, likewise")
    parser.add_argument("--parent", type=int, help="process id; end when that process ends")
    parser.add_argument("--module", default="runners", help="what runs the cell")
    return parser


def _refuse(error: Exception, status: int) -> int:
    print(f"runners.launcher: {error}", file=sys.stderr)
    return status


class Launch:
    """One cell from its start to its manifest."""

    def __init__(
        self, given: argparse.Namespace, ordered: CellOrder, starting: Starting = CellProcess
    ) -> None:
        self._starting = starting
        self._given = given
        self._order = ordered
        self._folder: Path = given.folder
        self._asked: Optional[Tuple[Status, str]] = None
        self._kill_at = self._ask_again_at = float("inf")
        self._begin = time.monotonic()
        self._started_at = _now()
        self._full: Optional[OSError] = None
        self._stdout = Outlet(1)
        self._wake = _wake_for_signals()
        lifeline.listen()
        self._kills = MemoryKills()
        self._look_at = self._begin + _LOOK_EVERY_S

    def run(self) -> Manifest:
        """Raises OSError when the folder can't be written to, after ending the cell."""
        relay = Relay(self._folder, [self._stdout])
        self._cell = self._starting(self._arguments(), self._given.module)
        sampler = self._start_sampler()
        if sampler is not None:
            relay.outlets.append(sampler.outlet)
        while not self._cell.ended():
            self._wait(relay)
            self._watch_the_clock()
        self._pass_on(relay)
        record = _record(sampler, self._order.grace_s) if sampler is not None else None
        clear_group()
        if self._full is not None:
            raise self._full
        sealed = self._seal(record)
        relay.close()
        return sealed

    def _start_sampler(self) -> Optional[SamplerProcess]:
        if self._order.interval_s is None:
            return None
        return SamplerProcess(self._folder, self._cell.pid)

    def _arguments(self) -> List[str]:
        """Of ``python -m runners``."""
        ordered, given, folder = self._order, self._given, self._folder
        arguments = [
            str(folder / "cell.json"), str(folder), "--context", str(folder / "context.json"),
            "--threads", str(ordered.threads), "--result", seal.RESULT,
        ]  # fmt: skip
        for name in ("data", "weights", "pretrained"):
            place = getattr(given, name) or getattr(ordered, name)
            if place:
                arguments += [f"--{name}", order.path_given(place)]
        return arguments

    def _wait(self, relay: Relay) -> None:
        """Until something happens, or the next look at the clock is due."""
        readable = [self._cell.output, self._wake]
        writable = [1] if self._stdout.waiting else []
        ready, free, _ = select.select(readable, writable, [], self._patience_s())
        if free:
            self._stdout.flush()
        if self._wake in ready:
            for number in os.read(self._wake, 4096):
                if number in lifeline.ASKING:
                    name = signal.Signals(number).name
                    self._ask(*lifeline.asked(self._folder / lifeline.STOP_FILE, name))
        if self._cell.output in ready:
            self._pass_on(relay)

    def _patience_s(self) -> float:
        """At most until the next look at the kernel's kills."""
        limit = self._order.timeout_s
        ends = float("inf") if limit is None or self._asked else self._begin + limit
        due = min(ends, self._kill_at, self._ask_again_at, self._look_at)
        return max(0.0, due - time.monotonic())

    def _pass_on(self, relay: Relay) -> None:
        """What the cell has said by now. A disk that is full ends the cell."""
        while True:
            chunk = self._cell.read()
            if not chunk:
                break
            try:
                relay.take(chunk)
            except OSError as error:
                self._full = self._full or error
                self._ask("cancelled", str(error))
        if chunk == b"" and not self._cell.ended():
            time.sleep(0.01)  # it has closed its output; its end is a matter of a moment

    def _watch_the_clock(self) -> None:
        now, limit = time.monotonic(), self._order.timeout_s
        if now >= self._look_at:
            self._look_at = now + _LOOK_EVERY_S
            self._kills.look()
        if self._asked is None and limit is not None and now - self._begin >= limit:
            self._ask("timeout", f"not finished within its {limit:g} s")
        elif now >= self._kill_at:
            self._cell.signal(signal.SIGKILL)
            self._kill_at = now + _ASK_AGAIN_S
        elif now >= self._ask_again_at:  # one that was only being started has not heard it
            self._ask_again_at = now + _ASK_AGAIN_S
            self._cell.signal(signal.SIGTERM)

    def _ask(self, status: Status, reason: str) -> None:
        """Have the cell end with that status; the first word counts."""
        if self._asked is not None:
            return
        self._asked = (status, reason)
        now = time.monotonic()
        self._kill_at, self._ask_again_at = now + self._order.grace_s, now + _ASK_AGAIN_S
        try:
            said = msgspec.json.encode({"status": status, "reason": reason})
            write_atomically(self._folder / lifeline.STOP_FILE, said)
        except OSError:
            pass  # without the file it ends as cancelled
        self._cell.signal(signal.SIGTERM)

    def _seal(self, record: Optional[Record]) -> Manifest:
        redact_file(self._folder / "log.txt")
        if (self._folder / seal.MANIFEST).exists():  # not ours: the cell's technique made it
            seal.left(self._folder, seal.MANIFEST)
        manifest = seal.left(self._folder) or self._concluded()
        return seal.seal(self._folder, seal.joined(manifest, record), "launcher")

    def _concluded(self) -> Manifest:
        said = seal.last_words(self._folder)
        return seal.concluded(
            self._order.cell,
            self._order.context,
            seal.judge(self._end(), said, self._order.cell.memory_limit_bytes),
            self._started_at,
            time.monotonic() - self._begin,
            said,
        )

    def _end(self) -> seal.End:
        """Another signal than the kernel's own has another reason than memory.

        SIGKILL long after the kernel killed some process of the cell is somebody else's.
        """
        code = self._cell.code
        killed = code == -signal.SIGKILL
        return seal.End(
            code=max(code, 0),
            signal=max(-code, 0),
            oom=self._kills.since(recent=killed) if killed or code > 0 else "",
            asked=self._asked,
        )


def _record(sampler: SamplerProcess, grace_s: float) -> Record:
    """What the sampler found; it may have to wait for a driver that hangs, but not for ever."""
    sampler.hang_up()
    end = time.monotonic() + grace_s
    while True:
        ready, _, _ = select.select([sampler.output], [], [], max(0.0, end - time.monotonic()))
        if not ready or sampler.hear():
            return sampler.record()


def _wake_for_signals() -> int:
    """A descriptor on which the numbers of signals arrive; one that is ignored (nohup) stays so."""
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    for number in (signal.SIGCHLD, *lifeline.ASKING):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return wake


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(main())
