"""What is asked of a run reaches it whenever it is asked."""

from __future__ import annotations

import pytest

from orchestrator.messages import CellStarted, LogLine, RunMessage
from orchestrator.running.control import RunControl
from tests.manifests.samples import planned


class Executed:
    """Remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def pause(self) -> None:
        self.asked.append("pause")

    def cancel(self, reason: str) -> None:
        self.asked.append(f"cancel {reason}")

    def kill(self) -> None:
        self.asked.append("kill")


def test_it_passes_on_what_is_asked() -> None:
    control, executed = RunControl(), Executed()
    control.take(executed)
    control.pause()
    control.cancel("enough")
    control.kill()
    assert executed.asked == ["pause", "cancel enough", "kill"]


@pytest.mark.parametrize(
    ("ask", "asked"), [("pause", ["pause"]), ("cancel", ["cancel early"]), ("kill", [])]
)
def test_what_was_asked_before_there_was_a_run_reaches_it(ask: str, asked: list[str]) -> None:
    control, executed = RunControl(), Executed()
    if ask == "cancel":
        control.cancel("early")
    else:
        getattr(control, ask)()
    control.take(executed)
    assert executed.asked == asked


def test_work_before_the_first_cell_ends_at_its_next_word() -> None:
    control = RunControl()
    told: list[RunMessage] = []
    tell = control.heard(told.append)
    tell(LogLine("installing"))
    control.cancel("enough")
    with pytest.raises(KeyboardInterrupt):
        tell(LogLine("installing more"))
    assert len(told) == 2


def test_once_a_cell_has_begun_its_end_is_awaited() -> None:
    control = RunControl()
    tell = control.heard(lambda _: None)
    tell(CellStarted(planned(1), ""))
    control.cancel("enough")
    tell(LogLine("the cell winds up"))
