"""An engine that starts the fake runner with this interpreter; processes are the local engine's.

What it has and how it fails stands in variables: FAKE_GPUS (0,1,...), FAKE_THERE (so many GPUs, of
which those are its own that were allotted), FAKE_LOSES (of each cell
so many attempts are lost), FAKE_KEEPS (they are lost after they have left their manifest),
FAKE_GATE (no cell starts before that file is there), FAKE_FULL (the disk is full for this cell,
after the gate), FAKE_REFUSES (cells of that task can't be started), FAKE_DETACHES (its cells
outlive the orchestrator), FAKE_UNSAMPLED (cells have no sampler beside them, which is a third of
what they cost).
"""

import errno
import json
import os
import sys
import time
from pathlib import Path

from machine.allotment import allotment
from manifests.errors import MachineError
from manifests.manifest import ImageUsed
from orchestrator.engines import local
from orchestrator.engines.base import Exit, Order, Tell
from orchestrator.environments.images import Image
from orchestrator.messages import LogLine

ROOT = Path(__file__).resolve().parents[2]
LOST = "the fake engine lost it"
# Cells leave no bytecode behind, and compiling our modules is a quarter of what a fake one costs.
_WITH_BYTECODE = [
    "env", "--unset=PYTHONDONTWRITEBYTECODE", f"PYTHONPYCACHEPREFIX={ROOT / '.cache' / 'bytecode'}",
    f"PYTHONPATH={ROOT}",
]  # fmt: skip


class FakeEngine(local.LocalEngine):
    """Images named ``broken`` can't be made ready."""

    name = "fake"

    def status(self, image: Image) -> str:
        return "ready"

    def gpus(self) -> list[str]:
        if "FAKE_THERE" in os.environ:
            return list(allotment(int(os.environ["FAKE_THERE"])).gpus)
        return os.environ.get("FAKE_GPUS", "").split(",") if os.environ.get("FAKE_GPUS") else []

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        tell(LogLine(f"preparing {image.name}", "detail"))
        if image.name == "broken":
            raise MachineError("the environment broken could not be made. Its last lines:\n  oh")
        return ImageUsed(name=image.name, kind="given")

    def __init__(self) -> None:
        super().__init__(detaches="FAKE_DETACHES" in os.environ)

    def obstacle(self, image: Image) -> str:
        return ""

    def interpreter(self, image: Image) -> Path:
        return Path(sys.executable)

    def start(self, image: Image, order: Order, name: str = "") -> local.LocalCell:
        os.environ.setdefault("FAKE_LOG", str(order.folder.parent.parent / "executed.txt"))
        if f'"task":"{os.environ.get("FAKE_REFUSES")}"' in (order.folder / "cell.json").read_text():
            raise MachineError("the fake engine's runtime is broken")
        _wait_at_the_gate(order)
        if "FAKE_UNSAMPLED" in os.environ:
            _without_sampler(order.folder / "order.json")
        if os.environ.get("FAKE_FULL") == order.cell:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        command = [*_WITH_BYTECODE, *self.command(image, order), "--module=tests.fakes.runner"]
        earlier = len(list(order.folder.parent.glob(f"{order.cell}.attempt-*")))
        lost = earlier < int(os.environ.get("FAKE_LOSES", "0"))
        kind = LostCell if lost else local.LocalCell
        return kind(command, order, name)


class LostCell(local.LocalCell):
    """The engine goes away with it, or just after it."""

    def __init__(self, command: list[str], order: Order, name: str = "") -> None:
        super().__init__(command, order, name)
        if "FAKE_KEEPS" not in os.environ:
            self.kill()

    def wait(self) -> Exit:
        super().wait()
        return Exit(code=0, lost=LOST)


def _wait_at_the_gate(order: Order) -> None:
    """Tell that a cell has come, and wait until it is let through; FAKE_FULL's waits alone."""
    gate = os.environ.get("FAKE_GATE")
    if gate and os.environ.get("FAKE_FULL", order.cell) == order.cell:
        Path(f"{gate}.{order.cell}").touch()
        while not os.path.exists(gate):
            time.sleep(0.01)


def _without_sampler(path: Path) -> None:
    ordered = json.loads(path.read_bytes())
    path.write_text(json.dumps({**ordered, "interval_s": None}))
