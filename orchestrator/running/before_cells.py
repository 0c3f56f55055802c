"""Before a run's first cell: waiting until others leave the machine alone, and its idle power."""

from __future__ import annotations

from collections.abc import Iterable

from machine.quiet import Busy, busy_words, wait_until_quiet
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


def _starts(item: Todo) -> bool:
    return not item.planned.skip and item.holds is None
