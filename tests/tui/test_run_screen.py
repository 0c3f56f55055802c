"""The run, its queue, its log and the machine: side by side where there is room."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from manifests.manifest import Status
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from orchestrator.messages import CellStarted, Listener, RunStarted
from orchestrator.running.control import RunControl
from tests.tui.conftest import Scene, drive, settle, shown
from tests.tui.scenes import begin, end, footer, started, until, wait_for
from tui.app import Repliquant
from tui.kept import Kept, Order, read_kept, write_kept
from tui.screens.dialogs import Question
from tui.widgets.rows import Rows


def _held(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
    """The first cell runs until it is paused or cancelled."""
    begin(todo, tell)
    wait_for(control)
    status: Status = "cancelled" if control.cancelled else "ok"
    end(todo[0], tell, status)
    return [status]


def test_a_wide_screen_has_all_of_it_side_by_side(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    play(_held)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "step 3 of 9" in shown(app))
        text = shown(app)
        assert "log of " in text and "queue 0 of 4" in text and " notes " in text
        assert "○ to do" in text
        assert "no line yet: phase train, step 3, 0:0" in text
        app.live.queue.pause()
        await until(pilot, lambda: not app.live.queue.active)

    drive(app, steps, (140, 40))


def test_a_small_screen_has_them_one_after_another(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    play(_held)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "no line yet: phase train" in shown(app))
        assert "○ to do" not in shown(app)
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "○ to do" in shown(app) and "no line yet" not in shown(app))
        await pilot.press("right_square_bracket")
        await until(pilot, lambda: "no note yet" in shown(app) and "○ to do" not in shown(app))
        app.live.queue.pause()
        await until(pilot, lambda: not app.live.queue.active)

    drive(app, steps)


def test_what_was_cancelled_goes_on_with_a_key(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    play(_held)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: "step 3 of 9" in shown(app))
        assert "Go on" not in footer(app)
        await pilot.press("X", "y")
        await until(pilot, lambda: "Go on" in footer(app))
        await pilot.press("s")
        await until(pilot, lambda: app.live.queue.active and "step 3 of 9" in shown(app))
        app.live.queue.pause()
        await until(pilot, lambda: not app.live.queue.active)

    drive(app, steps, (110, 30))


def test_a_cell_that_failed_is_tried_again_after_a_question(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    asked: list[int] = []

    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        asked.append(len(todo))
        tell(RunStarted(todo, 0))
        tell(CellStarted(todo[0], ""))
        end(todo[0], tell, "crashed", "boom")
        control.pause()
        return ["crashed"]

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: bool(asked) and not app.live.queue.active)
        await settle(pilot, app)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert "Run again: 1 cell" in shown(app) and "put aside, not deleted" in shown(app)
        await pilot.press("y")
        await until(pilot, lambda: len(asked) == 2)
        request = app.live.request
        assert request is not None and len(request.rerun) == 1
        assert request.expression == f"id={request.rerun[0]}"

    drive(app, steps, (110, 30))


def test_repeats_of_a_cell_are_added_by_a_key(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    ran: list[list[PlannedCell]] = []

    def scene(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
        ran.append(todo)
        tell(RunStarted(todo, 0))
        tell(CellStarted(todo[0], ""))
        end(todo[0], tell, "ok")
        control.pause()
        return ["ok"]

    play(scene)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await started(pilot, app, tmp_path / "runs" / "new")
        await until(pilot, lambda: bool(ran) and not app.live.queue.active)
        await settle(pilot, app)
        await pilot.press("A")
        await until(pilot, lambda: isinstance(app.screen, Question))
        assert "2 processes of 1 cell" in shown(app)
        await pilot.press("y")
        await until(pilot, lambda: len(ran) == 2)
        cell = ran[0][0].cell
        repeats = [one.cell.repeat for one in ran[1] if one.cell.technique == cell.technique]
        assert repeats[-2:] == [1, 2]
        await until(pilot, lambda: not app.live.queue.active)
        planned = Run(tmp_path / "runs" / "new").plan().cells
        assert sum(one.cell.repeat > 0 for one in planned) == 2

    drive(app, steps, (110, 30))


def test_requests_that_wait_are_reordered_and_dropped(
    app: Repliquant, play: Callable[[Scene], None], tmp_path: Path
) -> None:
    play(_held)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        for name in ("first", "second", "third"):
            await started(pilot, app, tmp_path / "runs" / name)
        queue = app.live.queue
        await until(pilot, lambda: "step 3 of 9" in shown(app) and len(queue.waiting) == 2)
        await until(pilot, lambda: "then lad2023, tier quick" in shown(app))
        rows = app.screen.query_one("#view-queue", Rows)
        rows.cursor = rows.count - 1
        before = [request.run_dir for request in queue.waiting]
        await pilot.press("K")
        assert [request.run_dir for request in queue.waiting] == before[::-1]
        await pilot.press("K")  # nothing goes before what runs
        assert [request.run_dir for request in queue.waiting] == before[::-1]
        await pilot.press("D")
        await until(pilot, lambda: len(queue.waiting) == 1)
        queue.pause()
        await until(pilot, lambda: not queue.active)

    drive(app, steps, (140, 40))


def test_what_is_kept_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPLIQUANT_CACHE", str(tmp_path / "cache"))
    assert read_kept() == Kept()
    lists = {"results/rows": Order("ratio", True, ["n"])}
    write_kept(Kept("shafique2023", "repliquant-light", "chart", lists))
    assert read_kept() == Kept("shafique2023", "repliquant-light", "chart", lists)
    (tmp_path / "cache" / "screen.json").write_bytes(b'{"study": 7}')
    assert read_kept() == Kept()


def test_order_columns_view_and_theme_are_kept_between_starts(recorded: Path) -> None:
    kept = Kept()

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4")
        await until(pilot, lambda: app.screen.query_one(Rows).count > 0)
        await pilot.press("z", "v")
        await until(pilot, lambda: "results/rows" in kept.lists)
        app.theme = "repliquant-light"
        await until(pilot, lambda: kept.theme == "repliquant-light")

    async def again(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4")
        await until(pilot, lambda: app.screen.query_one(Rows).count > 0)
        assert app.theme == "repliquant-light"
        assert kept.view == "ratio" and "¼" in shown(app)

    for walk in (steps, again):
        app = Repliquant(sample=False)
        app.kept = kept
        app.console._color_system = 3  # type: ignore[assignment]  # as a terminal with all colours
        drive(app, walk)
