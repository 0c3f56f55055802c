"""Before a run's first cell: others are waited for, and the idle machine's power is measured."""

from __future__ import annotations

from collections.abc import Iterable

from machine.idle import IDLE_S, idle_power, this_machine
from machine.quiet import Busy, busy_words, wait_until_quiet
from manifests.hardware import IdlePower
from orchestrator.engines.base import Engine
from orchestrator.messages import Listener, LogLine
from orchestrator.planning.resuming import Todo


def wait_for_quiet(engine: Engine, todo: Iterable[Todo], limit_s: float, tell: Listener) -> None:
    """For ``limit_s`` at most; what is still busy then is told, and the run goes on.

    Cells that run elsewhere, or that run already, wait for nothing here.
    """
    if not limit_s or not engine.capacity().here or not any(_starts(item) for item in todo):
        return

    def hear(busy: Busy, waited_s: float) -> None:
        text = f"waiting for a quiet machine: {busy_words(busy)}"
        tell(LogLine(text, "detail", round(waited_s), round(limit_s)))

    waited = wait_until_quiet(limit_s, hear)
    if waited.busy is not None:
        text = f"not quiet after {waited.seconds:.0f} s: {busy_words(waited.busy)}; "
        tell(LogLine(text + "what is measured now may be flagged as busy-machine", "important"))


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
