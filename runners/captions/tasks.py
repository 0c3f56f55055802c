"""Which of a framework's functions runs a captioner's cell."""

from __future__ import annotations

from typing import Callable, Collection

from manifests.cell import Cell
from runners.failures import Unsupported
from runners.job import Job

Run = Callable[[Job], None]


def task_of(cell: Cell, framework: str, ways: Collection[str], train: Run, quantize: Run) -> Run:
    """``train`` for the float network, ``quantize`` for a technique among ``ways``.

    Quantization-aware training is a cell of task train. Raises Unsupported for what has no
    captioner; ``framework`` is its name for people.
    """
    aware = [name for name in ways if name.startswith("qat")]
    if (cell.task, cell.technique) == ("train", "float32"):
        return train
    if cell.technique in ways and cell.task == _task(cell.technique in aware):
        return quantize
    later = [name for name in ways if name not in aware]
    raise Unsupported(
        f"{framework}'s captioner has no {cell.task} by {cell.technique}. Accepted: train by "
        f"{', '.join(['float32', *aware])}; quantize by {', '.join(later)}"
    )


def _task(aware: bool) -> str:
    return "train" if aware else "quantize"
