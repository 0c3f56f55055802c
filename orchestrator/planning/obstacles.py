"""Why a cell can't run: decided here, once, when the plan is made for an engine."""

from __future__ import annotations

import functools

from manifests.cell import Cell
from orchestrator.datasets import pretrained
from orchestrator.engines.base import Engine
from orchestrator.environments.images import load_image
from orchestrator.model_files import intake
from orchestrator.planning.gpu_compat import Pairing

NO_GPU = "needs an NVIDIA GPU; none was found"


def lacks_gpu(reason: str) -> bool:
    """Whether that is why a cell can't run here, or did not."""
    return NO_GPU in reason


class Obstacles:
    """What keeps cells from running on a machine with so many GPUs for them.

    ``engine`` None: every image can run.
    """

    def __init__(self, gpus: int, engine: Engine | None = None) -> None:
        self._gpus = gpus
        self._engine = engine
        self._of_image = functools.cache(self._ask)

    def of(self, cell: Cell, pairing: Pairing) -> str:
        """The first obstacle of a cell that runs in ``pairing.image``; empty for none."""
        if cell.device == "gpu" and not self._gpus:
            return NO_GPU
        lacking = pretrained.obstacle(cell) or intake.obstacle(cell)
        return pairing.obstacle or lacking or self._of_image(pairing.image)

    def _ask(self, image: str) -> str:
        return self._engine.obstacle(load_image(image)) if self._engine else ""
