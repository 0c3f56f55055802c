"""What a cell is handed over with: for its engine, and for its launcher."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from machine.sampler import Sampler
from manifests.cell import Cell
from manifests.manifest import Context
from manifests.order import GRACE_S, INTERVAL_S, CellOrder, path_text
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from orchestrator.engines.base import Engine, Order
from orchestrator.messages import Listener
from orchestrator.planning.estimates import Estimates
from orchestrator.running.scheduler import Slot


class Setup(NamedTuple):
    """What a run works with. ``data`` gives the folder of a cell's pack, ``pretrained`` that of
    the published weights it starts from.

    ``sampler`` is the screen's; it is shown how the cells fare. Before the first cell, others are
    waited for, ``wait_quiet_s`` at most.
    """

    engine: Engine
    data: Callable[[Cell], Path]
    threads: int
    estimates: Estimates
    tell: Listener
    cpus: tuple[int, ...] = ()
    gpus: tuple[str, ...] = ()
    memory_bytes: int | None = None
    sampler: Sampler | None = None
    pretrained: Callable[[Cell], Path | None] = lambda cell: None
    wait_quiet_s: float = 0.0


def order_of(setup: Setup, run: Run, planned: PlannedCell, slot: Slot) -> Order:
    """For the engine."""
    parent = planned.cell.weights_from
    return Order(
        run=run.id,
        cell=planned.id,
        folder=run.cell_folder(planned.id).resolve(),
        data=setup.data(planned.cell).resolve(),
        weights=run.cell_folder(parent).resolve() if parent else None,
        threads=setup.threads,
        cpus=slot.cpus,
        gpus=slot.gpus,
        memory_bytes=setup.memory_bytes,
        pretrained=setup.pretrained(planned.cell),
        shares=_shared(planned.cell),
    )


def launch_order(planned: PlannedCell, order: Order, context: Context, outlives: bool) -> CellOrder:
    """For the launcher; ``outlives``: the cell goes on when this process dies."""
    return CellOrder(
        cell=planned.cell,
        context=context,
        threads=order.threads,
        cpus=list(order.cpus),
        gpus=list(order.gpus),
        memory_bytes=order.memory_bytes,
        timeout_s=planned.timeout_s,
        grace_s=GRACE_S,
        data=path_text(order.data),
        weights=path_text(order.weights),
        pretrained=path_text(order.pretrained),
        outlives=outlives,
        interval_s=None if planned.cell.task == "probe" else INTERVAL_S,
    )


def _shared(cell: Cell) -> str:
    """Probes take less time than their imports, and nothing of them is timed."""
    return cell.framework if cell.task == "probe" and cell.device == "cpu" else ""
