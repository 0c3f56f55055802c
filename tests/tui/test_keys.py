"""Every screen driven with keys, over the recorded run."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot

from tests.tui.conftest import RUN, drive, settle, shown
from tui.app import Repliquant
from tui.replay import Replay
from tui.screens.comparison import CompareScreen
from tui.screens.dialogs import Form, Question
from tui.screens.manifest import ManifestScreen
from tui.widgets.rows import Rows


def test_numbers_go_to_the_screens_and_back(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        for key, mode in zip("123456", app.MODES, strict=True):
            await pilot.press(key)
            assert app.current_mode == mode

    drive(app, steps)


def test_a_key_between_two_pages_is_for_neither(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        stack = app._screen_stacks[app.current_mode]
        before, kept = app.current_mode, list(stack)
        stack.clear()  # as it is while a page is being made
        await app.on_event(events.Key("4", "4"))
        stack.extend(kept)
        assert app.current_mode == before

    drive(app, steps)


def test_a_study_is_opened_and_its_plan_is_there(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("down", "enter")
        await settle(pilot, app)
        assert app.current_mode == "plan"
        assert app.data.study == "shafique2023"
        assert "shafique2023 · tier quick" in shown(app)

    drive(app, steps)


def test_the_plan_says_why_a_cell_cannot_run(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("2", "slash", *"device=gpu", "enter", "down")
        await pilot.pause()
        assert "needs an NVIDIA GPU; none was found" in shown(app)

    drive(app, steps)


def test_the_filter_is_the_language_of_k(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("2", "slash", *"pytorch and train", "enter")
        await pilot.pause()
        rows = app.screen.query_one("#cells", Rows)
        assert rows.count == 4  # two groups of a cell each
        await pilot.press("slash", *"tensrflow", "enter")
        await pilot.pause()
        assert rows.count == 4
        assert any("Did you mean 'tensorflow'" in message for message in app.said)
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert rows.count > 30

    drive(app, steps)


def test_marks_choose_what_is_asked_to_run_and_escape_leaves_it(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("2", "slash", *"tensorflow and quantize", "enter", "down", "space")
        assert len(app.data.marked) == 1
        await pilot.press("s")
        assert isinstance(app.screen, Question)
        assert "Start: 2 cells" in shown(app)  # with the training that it starts from
        await pilot.press("escape")
        assert not app.live.queue.active

    drive(app, steps)


def test_what_has_a_result_is_not_started_but_run_again_after_a_question(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("2", "slash", *"id=" + first_ok(app), "enter", "s")
        assert not isinstance(app.screen, Question)
        await pilot.press("down", "space", "R")
        assert isinstance(app.screen, Question)
        assert "put aside, not deleted" in shown(app)

    drive(app, steps)


def first_ok(app: Repliquant) -> str:
    return next(id_ for id_, (status, _) in app.data.states.items() if status == "ok")


def test_options_plan_anew(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("2", "o")
        assert isinstance(app.screen, Form)
        app.screen.dismiss(
            {"tier": "short", "dataset": "", "data_dir": "", "engine": "local", "run_dir": ""}
        )
        await settle(pilot, app)
        assert app.data.request.engine == "local"
        assert "tier short" in shown(app)

    drive(app, steps)


def test_tables_are_tabs_and_a_number_leads_to_its_manifest(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4", "]", "[")
        await pilot.pause()
        assert "Model size (Table I" in shown(app)
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ManifestScreen)
        await pilot.pause()
        assert "pytorch train float32" in shown(app)
        await pilot.press("escape")
        assert app.current_mode == "results"
        assert not isinstance(app.screen, ManifestScreen)

    drive(app, steps)


def test_three_views_of_a_table(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4")
        await pilot.pause()
        assert "42.62 MB" in shown(app)
        await pilot.press("v")
        await pilot.pause()
        assert "¼" in shown(app)
        await pilot.press("v")
        await pilot.pause()
        assert "█" in shown(app)

    drive(app, steps)


@pytest.mark.first(1)
@pytest.mark.parametrize(("format_", "begin"), [("md", "### "), ("csv", "run,"), ("json", "[")])
def test_an_export_is_the_same_file_as_the_command_lines(
    app: Repliquant, recorded: Path, format_: str, begin: str
) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4", "e")
        assert isinstance(app.screen, Form)
        app.screen.dismiss({"table": "table1", "format": format_, "path": ""})
        await pilot.pause()
        assert (recorded / f"table1.{format_}").read_text().startswith(begin)

    drive(app, steps)


def test_a_file_that_cannot_be_written_is_said(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4", "e")
        assert isinstance(app.screen, Form)
        app.screen.dismiss({"table": "all", "format": "md", "path": "/proc/none/x.md"})
        await pilot.pause()
        assert any("can't be written to" in message for message in app.said)

    drive(app, steps)


def test_a_copy_is_markdown(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4")
        await settle(pilot, app)
        await pilot.press("y", "t")
        await pilot.pause()
        assert app.clipboard.startswith("### Model size")

    drive(app, steps)


def test_readonly_starts_and_writes_nothing(recorded: Path) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        before = sorted(recorded.rglob("*"))
        await pilot.press("2", "s", "R", "X", "p", "4", "e", "w", "b", "6", "1")
        assert not app.live.queue.active
        assert not isinstance(app.screen, Question | Form)
        assert "readonly" in shown(app)
        assert sorted(recorded.rglob("*")) == before

    drive(Repliquant(sample=False, readonly=True), steps)


def test_a_run_that_is_deleted_while_it_is_shown(app: Repliquant, recorded: Path) -> None:
    import shutil

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4", "[", "enter", "]", "]")
        shutil.rmtree(recorded)
        await pilot.press("]", "[", "escape", "enter", "5", "r", "2", "enter")
        await settle(pilot, app)
        assert app.is_running
        await pilot.press("4", "r")
        assert app.is_running

    drive(app, steps)


def test_help_lists_the_keys_of_the_screen(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4", "question_mark")
        await pilot.pause()
        assert "numbers, ratios or a chart" in shown(app)
        await pilot.press("escape")
        assert app.current_mode == "results"

    drive(app, steps, (80, 40))


def test_the_mouse_goes_where_it_is_clicked(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.click("Head", offset=(9, 0))
        assert app.current_mode == "plan"
        await pilot.click("#cells", offset=(10, 3))
        assert app.screen.query_one("#cells", Rows).cursor == 2

    drive(app, steps)


def test_a_replay_plays_holds_skips_and_changes_its_speed(replaying: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        replay = app.live.replay
        assert isinstance(replay, Replay)
        assert app.current_mode == "run"
        await pilot.press("greater_than_sign", "greater_than_sign", "less_than_sign")
        assert replay.speed == 2.0
        await pilot.press("space")
        assert replay.paused
        total = app.live.run_state.total
        for _ in range(total):
            await pilot.press("full_stop")
        await pilot.pause(0.5)
        assert replay.ended
        assert app.live.run_state.ended == total
        assert "ended 2x" in shown(app)
        await pilot.press("comma")
        assert app.live.run_state.ended < total

    drive(replaying, steps)


def test_a_replay_starts_nothing(replaying: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("2", "s", "4", "e")
        assert not isinstance(app.screen, Question | Form)
        assert app.live.run is not None
        assert app.live.run.id == RUN

    drive(replaying, steps)


def test_two_marked_runs_are_compared(app: Repliquant, recorded: Path) -> None:
    import shutil

    shutil.copytree(recorded, recorded.with_name("another"))

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4", "r", "space", "space", "enter")
        for _ in range(100):
            if isinstance(app.screen, CompareScreen) and app.screen.settled:
                break
            await pilot.pause(0.05)
        await pilot.pause()
        text = shown(app)
        assert "the environments are the same" in text
        assert "another" in text and RUN in text
        await pilot.press("down", "escape")
        assert not isinstance(app.screen, CompareScreen)

    drive(app, steps, (100, 30))
