"""The first screen: what this is, on which machine, how far each study holds, and its runs."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from manifests.manifest import Status
from manifests.plan import PlannedCell
from orchestrator.messages import Listener
from orchestrator.running.control import RunControl
from services.this_machine import Business, look_at_machine, look_who_is_busy
from tests.tui.conftest import MACHINE, RUN, Scene, drive, shown
from tests.tui.scenes import begin, end, started, until, wait_for
from tui import home_data
from tui.app import Repliquant
from tui.screens.comparison import CompareScreen


def test_a_first_time_reader_sees_what_it_is_the_machine_and_the_next_key(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        lines = shown(app).splitlines()
        assert "Published results on quantization, measured again here" in lines[1]
        assert "● quiet · Intel Xeon Processor, 2 processors" in lines[2]
        assert "nothing runs" in lines[3]
        assert "next  c claims" in lines[-2] and "? all keys" in lines[-2]

    drive(app, steps, (100, 30))


def test_a_busy_machine_is_said_to_be_busy(
    app: Repliquant, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = Business(False, "busy: others take 63 % of the processors")
    monkeypatch.setattr(home_data, "look_who_is_busy", lambda: busy)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        assert "▲ busy: others take 63 % of the processors" in shown(app)

    drive(app, steps)


def test_verdicts_of_each_study_are_a_bar_and_words(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        first, second = (app.data.home.verdicts[name] for name in ("lad2023", "shafique2023"))
        assert sum(first.values()) == 16 and first["holds here"] == 1
        assert second == {"not measured": 22, "untestable": 1}
        text = shown(app)
        assert "░" * 14 in text  # of a study without a run nothing is measured
        assert "█ 1 hold" in text

    drive(app, steps, (80, 30))


def test_the_word_for_what_can_run_is_one(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        text = shown(app)
        assert "can run" in text and "runs here" not in text

    drive(app, steps)


def test_a_run_is_opened_from_its_list(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("tab", "enter")
        await until(pilot, lambda: f"run {RUN}" in shown(app))
        assert app.current_mode == "results"

    drive(app, steps)


def test_two_runs_are_compared_in_four_keys(app: Repliquant, recorded: Path) -> None:
    shutil.copytree(recorded, recorded.with_name("another"))

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("tab", "space", "space", "enter")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))
        await until(pilot, lambda: "another" in shown(app) and RUN in shown(app))

    drive(app, steps, (100, 30))


def test_what_goes_on_stands_on_the_first_screen(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        begin(todo, tell)
        wait_for(control)
        end(todo[0], tell, "ok")
        return ["ok"]

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "step 3 of 9" in shown(app))
        await pilot.press("1")
        await until(pilot, lambda: "now      running 0/4" in shown(app))
        assert "next  3 watch the run" in shown(app)
        app.live.queue.pause()
        await until(pilot, lambda: "now      nothing runs" in shown(app))

    drive(app, steps, (110, 30))


def test_a_wide_screen_has_the_study_beside_the_lists(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        row = next(line for line in shown(app).splitlines() if "shafique2023" in line)
        assert "not measured" in row or "undecided" in row  # a claim of lad2023

    drive(app, steps, (132, 40))


def test_beside_the_claims_the_runs_keep_their_names(app: Repliquant) -> None:
    """The counts of their cells give way."""

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        row = next(line for line in shown(app).splitlines() if "8 ok" in line)
        assert "lad2023-quick-digits" in row
        claim = next(line for line in shown(app).splitlines() if "C1 " in line)
        assert "……" not in claim and len(claim.rstrip().rsplit("  ", 1)[-1]) > 24

    drive(app, steps, (132, 40))


def test_this_machine_is_told_and_who_is_busy_on_it() -> None:
    told = look_at_machine()
    assert "processor" in told.processor and told.memory.endswith("of memory")
    assert told._fields == MACHINE._fields
    assert look_who_is_busy(0.3).words
