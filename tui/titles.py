"""Short names of cells: what all cells of a plan have in common is left out."""

from __future__ import annotations

from collections.abc import Iterable

from manifests.cell import Cell
from manifests.plan import PlannedCell

_ALWAYS = ("framework", "task", "technique")
_VARYING = (
    "variant", "feature", "dataset", "model", "image_size", "batch_size", "device", "protocol",
    "environment", "repeat",
)  # fmt: skip


class Titles:
    """Names the cells of one plan by what tells them apart."""

    def __init__(self, planned: Iterable[PlannedCell]) -> None:
        cells = [item.cell for item in planned]
        self._told = [name for name in _VARYING if len({getattr(cell, name) for cell in cells}) > 1]

    def of(self, cell: Cell) -> str:
        """For example ``pytorch infer ptq-eager batch 128``."""
        words = [str(getattr(cell, name)) for name in _ALWAYS]
        words += [_word(name, getattr(cell, name)) for name in self._told]
        return " ".join(word for word in words if word)


def _word(name: str, value: object) -> str:
    if name == "image_size":
        return f"{value}px"
    if name == "batch_size":
        return f"batch {value}"
    if name == "device":
        return "gpu" if value == "gpu" else ""
    if name == "protocol":
        return "" if value == "rigorous" else str(value)
    if name == "repeat":
        return f"repeat {value}" if value else ""
    return str(value)
