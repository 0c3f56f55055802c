"""An engine that starts the fake runner with this interpreter; processes are the local engine's."""

import os
import sys
from pathlib import Path

from manifests.manifest import ImageUsed
from orchestrator.engines import Order, Tell, local
from orchestrator.errors import MachineError
from orchestrator.images import Image
from orchestrator.news import Note

ROOT = Path(__file__).resolve().parents[2]


class FakeEngine(local.LocalEngine):
    """Images named ``broken`` can't be made ready."""

    name = "fake"

    def status(self, image: Image) -> str:
        return "ready"

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        tell(Note(f"preparing {image.name}", "detail"))
        if image.name == "broken":
            raise MachineError("the environment broken could not be made. Its last lines:\n  oh")
        return ImageUsed(name=image.name, kind="given")

    def start(self, image: Image, order: Order) -> local.LocalCell:
        os.environ.setdefault("FAKE_LOG", str(order.folder.parent.parent / "executed.txt"))
        command = local._command(Path(sys.executable), order)
        command[command.index("runners")] = "tests.fakes.runner"
        return local.LocalCell(command, order)
