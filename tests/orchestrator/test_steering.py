"""What is asked of a run reaches it whenever it is asked."""

from __future__ import annotations

import pytest

from orchestrator.messages import CellStarted, LogLine, RunMessage
from orchestrator.running.control import Steering
from tests.manifests.samples import planned


class Conducted:
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
    steering, conducted = Steering(), Conducted()
    steering.take(conducted)
    steering.pause()
    steering.cancel("enough")
    steering.kill()
    assert conducted.asked == ["pause", "cancel enough", "kill"]


@pytest.mark.parametrize(
    ("ask", "asked"), [("pause", ["pause"]), ("cancel", ["cancel early"]), ("kill", [])]
)
def test_what_was_asked_before_there_was_a_run_reaches_it(ask: str, asked: list[str]) -> None:
    steering, conducted = Steering(), Conducted()
    if ask == "cancel":
        steering.cancel("early")
    else:
        getattr(steering, ask)()
    steering.take(conducted)
    assert conducted.asked == asked


def test_work_before_the_first_cell_ends_at_its_next_word() -> None:
    steering = Steering()
    told: list[RunMessage] = []
    tell = steering.heard(told.append)
    tell(LogLine("installing"))
    steering.cancel("enough")
    with pytest.raises(KeyboardInterrupt):
        tell(LogLine("installing more"))
    assert len(told) == 2


def test_once_a_cell_has_begun_its_end_is_awaited() -> None:
    steering = Steering()
    tell = steering.heard(lambda news: None)
    tell(CellStarted(planned(1), ""))
    steering.cancel("enough")
    tell(LogLine("the cell winds up"))
