"""The local engine with the lowest priority: cells give way to whatever else the machine does."""

from __future__ import annotations

from orchestrator.engines.base import Entry, Order
from orchestrator.engines.local import LocalEngine
from orchestrator.environments.images import Image


class PatientEngine(LocalEngine):
    """Each cell is started by ``nice``; its manifest's limits say so."""

    name = "patient"
    words = "this machine, at the lowest priority"

    def command(self, image: Image, order: Order) -> list[str]:
        return ["nice", "-n", "19", *super().command(image, order)]


ENGINE = Entry(make=PatientEngine)
