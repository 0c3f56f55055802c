"""Before a run's first cell: others are waited for, and the idle machine's power is measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from machine.idle import IDLE_S, idle_power, this_machine
from machine.quiet import WINDOW_S, Busy, busy_words, wait_until_quiet
from manifests.hardware import IdlePower
from orchestrator.engines.base import Engine
from orchestrator.messages import Listener, LogLine
from orchestrator.planning.resuming import Todo


class BeforeCells:
    """What is done before the cells of a run, and before those that it measures again later."""

    def __init__(self, engine: Engine, wait_quiet_s: float) -> None:
        self._engine = engine
        self._left_s = wait_quiet_s
        self._began = False
        self.idle: IdlePower | None = None

    def prepare(self, todo: Sequence[Todo], tell: Listener) -> None:
        """Nothing where no cell starts now. All waits together end at the limit; a look at a quiet
        machine takes nothing of it. The idle machine is measured once.
        """
        if not any(_starts(item) for item in todo):
            return
        waited_s = wait_for_quiet(self._engine, todo, self._left_s, tell)
        self._left_s -= max(0.0, waited_s - WINDOW_S)
        if not self._began:
            self._began = True
            self.idle = measure_idle(self._engine, todo, tell)


def wait_for_quiet(engine: Engine, todo: Iterable[Todo], limit_s: float, tell: Listener) -> float:
    """For ``limit_s`` at most; what is still busy then is told, and the run goes on. The seconds.

    Cells that run elsewhere, or that run already, wait for nothing here.
    """
    if limit_s <= 0 or not engine.capacity().here or not any(_starts(item) for item in todo):
        return 0.0

    def hear(busy: Busy, waited_s: float) -> None:
        text = f"waiting for a quiet machine: {busy_words(busy)}"
        tell(LogLine(text, "detail", round(waited_s), round(limit_s)))

    waited = wait_until_quiet(limit_s, hear)
    if waited.busy is not None:
        text = f"not quiet after {waited.seconds:.0f} s: {busy_words(waited.busy)}; "
        tell(LogLine(text + "what is measured now may be flagged as busy-machine", "important"))
    return waited.seconds


def measure_idle(engine: Engine, todo: Iterable[Todo], tell: Listener) -> IdlePower | None:
    """What the machine draws before the first cell; None where no energy can be measured, where
    cells run elsewhere, and where none starts now.
    """
    items = list(todo)
    if not engine.capacity().here or not all(item.holds is None for item in items):
        return None
    if not any(_starts(item) for item in items):
        return None
    counters = this_machine()
    if not counters.joules():
        return None
    tell(LogLine(f"measuring the idle machine's power for {IDLE_S:g} s", "detail"))
    return idle_power(counters)


def _starts(item: Todo) -> bool:
    return not item.planned.skip and item.holds is None
