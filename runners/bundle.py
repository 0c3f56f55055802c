"""``python -m runners.bundle FOLDER``: run the cells of one job, one after the other.

FOLDER is that of the array the job is a task of. Each cell is run by its launcher to its manifest,
on this node; nobody else has to be there. A cell is begun by one job alone, whatever was submitted
twice. One that was interrupted and that the scheduler begins again starts anew, and what it had
left is kept beside it. The hash of each manifest is printed: it is the second witness where a
shared file system shows the manifest itself late.

Exit status: 0, whatever became of the cells; 2 the bundle can't be read.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import msgspec

from machine import seal
from machine.allocation import allocation, allotted_gpus, job_name, node_name, restarts
from machine.inventory import described, visible_gpus
from manifests import order
from manifests.allocation import Allocation
from manifests.artifacts import file_sha256
from manifests.bundle import BEGUN, END, Begun, Bundle, BundledCell, End, read_bundle
from manifests.codec import UnreadableError, read_manifest, read_struct
from manifests.files import write_atomically
from manifests.manifest import Manifest, Status
from manifests.order import CellOrder
from runners import lifeline
from runners.requeue import aside

_FIRST_LOOK_S, _LONGEST_LOOK_S = 0.2, 10.0
_ENDING: Dict[int, Tuple[Status, str]] = {
    signal.SIGUSR1: ("timeout", "the time limit of its job came before its own"),
    signal.SIGTERM: ("cancelled", "Slurm ended its job"),
    signal.SIGHUP: ("cancelled", "Slurm ended its job"),
}


def main(arguments: Optional[List[str]] = None) -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m runners.bundle", description=__doc__)
    parser.add_argument("folder", type=Path, help="of the array")
    given = parser.parse_args(arguments)
    number = int(os.environ.get("SLURM_ARRAY_TASK_ID", "1"))
    try:
        bundle = read_bundle(given.folder, number)
    except (OSError, IndexError, msgspec.MsgspecError) as error:
        print(f"runners.bundle: {error}", file=sys.stderr)
        return 2
    BundleRun(bundle).run()
    return 0


class BundleRun:
    """The cells of one job, in their order."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._asked: Optional[Tuple[Status, str]] = None
        self._place = 0
        self._folder: Optional[Path] = None
        self._launcher: Optional[subprocess.Popen[bytes]] = None
        self._parents: Dict[str, str] = {}
        self._late_until = time.monotonic() + bundle.late_s
        self._allocation: Optional[Allocation] = None

    def run(self) -> None:
        """Until all have their manifests, or the job is to end."""
        for number in _ENDING:
            signal.signal(number, self._heed)
        for place, one in enumerate(self._bundle.cells):
            self._place = place
            if self._asked is not None:
                print(f"{one.cell} not begun: {self._asked[1]}", flush=True)
            elif self._is_ours(one):
                self._run(one)

    def _heed(self, number: int, frame: Any) -> None:
        """The job is to end: the running cell first, then no other is begun."""
        if self._asked is None:
            self._asked = asked = _ENDING[signal.Signals(number)]
            if asked[0] == "timeout" and self._place:  # others of its bundle have used the time
                self._asked = ("cancelled", asked[1])
        if self._launcher is not None and self._folder is not None:
            self._ask(self._launcher, self._folder, self._asked)

    @staticmethod
    def _ask(launcher: subprocess.Popen[bytes], folder: Path, asked: Tuple[Status, str]) -> None:
        try:
            said = msgspec.json.encode({"status": asked[0], "reason": asked[1]})
            write_atomically(folder / lifeline.STOP_FILE, said)
        except OSError:
            pass  # without the file it ends as cancelled
        launcher.terminate()

    def _is_ours(self, one: BundledCell) -> bool:
        """Whether this job is the one that runs the cell; from here on no other does."""
        folder = Path(one.folder)
        why = _superseded(folder, one.handle) or self._done(folder)
        if not why:
            return True
        print(f"{one.cell} left alone: {why}", flush=True)
        return False

    def _done(self, folder: Path) -> str:
        """Why the cell is not begun here; empty once this job has begun it."""
        begun = _begun(folder)
        manifest = _sealed(folder)
        again = begun is not None and begun.job == job_name() and begun.restarts < restarts()
        if manifest is not None and not (again and manifest.transient):
            return f"it has its manifest ({manifest.status})"
        if begun is not None and again:
            aside(folder, f"Slurm began its job anew ({restarts()}.)", job_name())
        elif begun is not None:
            return f"job {begun.job} has begun it"
        return self._begin(folder)

    def _begin(self, folder: Path) -> str:
        """Only one of several jobs can make the file."""
        handle = _handle(folder)
        begun = Begun(
            handle=handle, job=job_name(), restarts=restarts(), node=node_name(),
            place=self._place, began_at=_now(),
        )  # fmt: skip
        try:
            with open(str(folder / BEGUN), "xb") as file:
                file.write(msgspec.json.encode(begun) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            return "another job has begun it"
        return ""

    def _run(self, one: BundledCell) -> None:
        folder = Path(one.folder)
        ordered = self._informed(folder)
        lacking = self._lacking(one.needs)
        if lacking:
            verdict = seal.Verdict("unsupported", lacking, True)
            words = seal.concluded(ordered.cell, ordered.context, verdict, _now(), 0.0)
            seal.seal(folder, words, "launcher")
            code = 1
        else:
            code = self._launch(one, folder)
        self._mark(one, folder, code)

    def _launch(self, one: BundledCell, folder: Path) -> int:
        """The launcher's exit status, negative for the signal that ended it."""
        self._folder = folder
        with open(str(folder / "stderr.txt"), "wb") as stderr:
            try:
                self._launcher = subprocess.Popen(
                    [*one.launcher, "--parent", str(os.getpid())], stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=stderr, cwd=str(folder),
                    start_new_session=True,
                )  # fmt: skip
            except OSError as error:
                stderr.write(f"{one.launcher[0]} can't be started here: {error}\n".encode())
                return 127
        if self._asked is not None:  # while it was being started
            self._ask(self._launcher, folder, self._asked)
        code = self._launcher.wait()
        self._launcher = self._folder = None
        return code

    def _informed(self, folder: Path) -> CellOrder:
        """The order, with what is known only on the node, written back for who runs the cell."""
        ordered = read_struct(folder / order.FILE_NAME, CellOrder)
        if self._allocation is None:
            self._allocation = _allocation(self._bundle.exclusive)
        given = msgspec.structs.replace(
            self._allocation, place=self._place, cells=len(self._bundle.cells)
        )
        gpus = given.gpus if ordered.cell.device == "gpu" else []
        context = msgspec.structs.replace(ordered.context, allocation=given, gpus=gpus)
        ordered = msgspec.structs.replace(ordered, context=context, gpus=gpus)
        write_atomically(folder / "context.json", msgspec.json.encode(context) + b"\n")
        write_atomically(folder / order.FILE_NAME, msgspec.json.encode(ordered) + b"\n")
        return ordered

    def _lacking(self, needs: List[str]) -> str:
        """Why the weights of other cells can't be had. Their jobs had ended before this one began:
        late files of all of them are waited for once.
        """
        for need in needs:
            if need not in self._parents:
                self._parents[need] = _state(Path(need), self._late_until)
            if self._parents[need] != "ok":
                name = Path(need).name
                return f"starts from the weights of cell {name}, which is {self._parents[need]}"
        return ""

    def _mark(self, one: BundledCell, folder: Path, code: int) -> None:
        """The second and the third witness of a cell's end, beside its manifest.

        None for a cell that the scheduler has had begun anew elsewhere while it ran here.
        """
        begun = _begun(folder)
        if begun is None or begun.restarts != restarts():
            return
        try:
            sha256 = file_sha256(folder / seal.MANIFEST)
        except OSError:
            sha256 = ""
        end = End(
            handle=one.handle, job=job_name(), node=node_name(), code=max(code, 0),
            signal=max(-code, 0), manifest_sha256=sha256,
        )  # fmt: skip
        write_atomically(folder / END, msgspec.json.encode(end) + b"\n")
        print(f"{one.cell} {sha256 or 'without a manifest'}", flush=True)


def _superseded(folder: Path, handle: str) -> str:
    found = _handle(folder)
    return "" if found == handle else f"the attempt in its folder is {found or 'none'}"


def _handle(folder: Path) -> str:
    try:
        return str(json.loads((folder / "handle.json").read_bytes())["name"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _begun(folder: Path) -> Optional[Begun]:
    try:
        return msgspec.json.decode((folder / BEGUN).read_bytes(), type=Begun)
    except (OSError, msgspec.MsgspecError):
        return None


def _sealed(folder: Path) -> Optional[Manifest]:
    try:
        return read_manifest(folder / seal.MANIFEST)
    except (UnreadableError, OSError):
        return None


def _state(folder: Path, give_up: float) -> str:
    """The status of a cell whose job has ended; ``not run`` where no manifest appears in time."""
    look_s = _FIRST_LOOK_S
    while True:
        manifest = _sealed(folder)
        if manifest is not None:
            return manifest.status
        if time.monotonic() >= give_up:
            return "not run"
        time.sleep(min(look_s, max(0.0, give_up - time.monotonic())))
        look_s = min(2 * look_s, _LONGEST_LOOK_S)


def _allocation(exclusive: bool) -> Allocation:
    """Of this job; its GPUs by UUID."""
    ours = visible_gpus()
    if not ours.gpus:
        return allocation(exclusive)
    found = allotted_gpus(ours.gpus, described())
    return allocation(exclusive, found.uuids, found.reason)


def _now() -> str:
    return datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")


if __name__ == "__main__":
    sys.exit(main())
