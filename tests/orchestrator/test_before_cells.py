"""Waiting for a quiet machine before a run's first cell."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any, cast

import msgspec
import pytest

from machine.quiet import Busy, Waited
from manifests.hardware import IdlePower
from orchestrator.engines.base import Capacity, Engine
from orchestrator.messages import LogLine, RunMessage
from orchestrator.planning.resuming import Todo
from orchestrator.running import before_cells
from tests.conftest import Workshop
from tests.manifests.samples import planned

BUSY = Busy(0.9, 0.0, 0.5, [("cc1plus", 1.75)])


class Place:
    """An engine, as far as it is asked here."""

    def __init__(self, here: bool = True) -> None:
        self._here = here

    def capacity(self) -> Capacity:
        return Capacity(here=self._here)


def waits(
    monkeypatch: pytest.MonkeyPatch, *, here: bool = True, skip: str = "", limit_s: float = 5.0,
    holds: tuple[str, ...] | None = None,
) -> list[LogLine]:  # fmt: skip
    """What is told while others are busy all the time."""
    told: list[RunMessage] = []

    def wait(limit: float, tell: Any) -> Waited:
        tell(BUSY, 1.0)
        return Waited(limit, BUSY)

    monkeypatch.setattr(before_cells, "wait_until_quiet", wait)
    cell = msgspec.structs.replace(planned(1), skip=skip)
    todo = [Todo(cell, "", holds)]
    before_cells.wait_for_quiet(cast(Engine, Place(here)), todo, limit_s, told.append)
    return [message for message in told if isinstance(message, LogLine)]


def test_it_says_while_it_waits_who_is_busy_and_at_the_end_that_it_gave_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert waits(monkeypatch) == [
        LogLine(
            "waiting for a quiet machine: others take 90 % of the processors, "
            "among them cc1plus 1.8 of a core", "detail", 1, 5,
        ),
        LogLine(
            "not quiet after 5 s: others take 90 % of the processors, among them cc1plus "
            "1.8 of a core; what is measured now may be flagged as busy-machine", "important",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "where",
    [{"limit_s": 0.0}, {"here": False}, {"skip": "no GPU"}, {"holds": ()}],
    ids=["nobody wants it", "it runs elsewhere", "nothing can run", "it runs already"],
)
def test_nothing_is_waited_for_in_vain(
    monkeypatch: pytest.MonkeyPatch, where: dict[str, Any]
) -> None:
    assert waits(monkeypatch, **where) == []


def idle(monkeypatch: pytest.MonkeyPatch, counters: list[float], **where: Any) -> list[str]:
    """What is told where the machine has such counters."""
    told: list[RunMessage] = []
    monkeypatch.setattr(before_cells, "this_machine", lambda: Joules(counters))
    monkeypatch.setattr(before_cells, "idle_power", lambda found: IdlePower(seconds=3.0))
    item = Todo(planned(1), "", where.get("holds"))
    place = cast(Engine, Place(where.get("here", True)))
    found = before_cells.measure_idle(place, [item], told.append)
    assert (found is None) == (not told)
    return [message.text for message in told if isinstance(message, LogLine)]


class Joules:
    """Counters that show so much."""

    def __init__(self, found: list[float]) -> None:
        self._found = found

    def joules(self) -> list[float]:
        return self._found


def test_the_idle_machine_is_measured_where_energy_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    assert idle(monkeypatch, [1.0]) == ["measuring the idle machine's power for 3 s"]
    assert idle(monkeypatch, []) == []
    assert idle(monkeypatch, [1.0], here=False) == []
    assert idle(monkeypatch, [1.0], holds=("0",)) == []


@pytest.fixture
def burners() -> Iterator[None]:
    """Others' work on two processors."""
    made = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"], start_new_session=True)
        for _ in range(2)
    ]
    yield
    for process in made:
        process.kill()
        process.wait()


@pytest.mark.usefixtures("burners")
def test_a_run_beside_real_work_says_so_and_goes_on(workshop: Workshop) -> None:
    begin = time.monotonic()
    done = workshop.run("--wait-quiet", "2", "-k", "alpha and train")
    assert "not quiet after 2 s: others take" in done.stderr
    assert "python" in done.stderr
    assert time.monotonic() - begin >= 2.0
    assert len(workshop.manifests()) == 1


def test_a_time_that_is_none_is_refused(workshop: Workshop) -> None:
    done = workshop("run", "toy", "--engine", "fake", "--wait-quiet", "-1", status=2)
    assert "--wait-quiet" in done.stderr
    assert json.dumps(workshop.executed()) == "[]"
