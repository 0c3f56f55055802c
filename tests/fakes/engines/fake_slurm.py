"""The engine ``slurm`` with the fake runner: everything around the cells is the real engine's."""

from pathlib import Path

from manifests.manifest import ImageUsed
from orchestrator.engines import slurm
from orchestrator.engines.base import Entry, Tell
from orchestrator.engines.queue import Job
from orchestrator.engines.slurm.engine import SlurmEngine
from orchestrator.environments.images import Image
from tests.fakes.engine import ROOT, FakeEngine


class FakeImages(FakeEngine):
    """Each is ready."""

    def prepare(self, image: Image, tell: Tell) -> ImageUsed:
        return ImageUsed(name=image.name, kind="given")


class FakeSlurm(SlurmEngine):
    """Its cells find this checkout's tests."""

    name = "fake-slurm"

    def __init__(self) -> None:
        super().__init__(FakeImages())

    def launcher(self, job: Job) -> list[str]:
        return [*super().launcher(job), "--module=tests.fakes.runner"]

    def variables(self) -> dict[str, str]:
        cache = str(Path(ROOT) / ".cache" / "bytecode")
        return {
            "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(ROOT), "PYTHONPYCACHEPREFIX": cache,
        }  # fmt: skip


ENGINE = Entry(FakeSlurm, standings=slurm.ENGINE.standings)
