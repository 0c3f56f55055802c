"""Starting from home and from a claim: what it would take, and the command that does the same."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot
from textual.widgets import Input

from manifests.manifest import Status
from manifests.plan import PlannedCell
from orchestrator.messages import Listener
from orchestrator.running.control import RunControl
from orchestrator.running.request import Request, prepare
from services.plan_words import plan_words
from tests.tui.conftest import RUN, Scene, drive, shown
from tests.tui.scenes import begin, end, until, wait_for
from tui.app import Repliquant
from tui.screens.dialogs import Form, Question
from tui.screens.start import Start
from tui.widgets.rows import Rows


def _held(todo: list[PlannedCell], tell: Listener, control: RunControl) -> list[Status]:
    begin(todo, tell)
    wait_for(control)
    status: Status = "cancelled" if control.cancelled else "ok"
    end(todo[0], tell, status)
    return [status]


def test_a_small_run_is_started_cancelled_and_resumed_in_five_keys(
    app: Repliquant, play: Callable[[Scene], None]
) -> None:
    play(_held)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, Start))
        assert app.screen.query_one(Rows).cursor == 0 and "a sample" in shown(app)
        await pilot.press("y")
        await until(pilot, lambda: app.live.queue.active and "step 3 of 9" in shown(app))
        assert app.data.options.sample
        await pilot.press("X", "y")
        await until(pilot, lambda: not app.live.queue.active and ", cancelled" in shown(app))
        await pilot.press("s")
        await until(pilot, lambda: app.live.queue.active and "step 3 of 9" in shown(app))
        app.live.queue.pause()
        await until(pilot, lambda: not app.live.queue.active)

    drive(app, steps, (120, 34))


def test_each_way_to_start_says_what_it_takes_and_its_command(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("s")
        await until(pilot, lambda: "planning" not in shown(app) and "to run" in shown(app))
        assert "repliquant run lad2023 --sample" in shown(app)
        await pilot.press("down")
        await until(pilot, lambda: "tier quick" in shown(app))
        text = shown(app)
        assert "1 cell can't run: needs an NVIDIA GPU; none was found" in text
        assert "engine local; " in text and " free" in text
        await pilot.press("down")
        await until(pilot, lambda: "repliquant run lad2023 --tier short" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.current_mode == "plan" and "tier short" in shown(app))
        assert not app.live.queue.active

    drive(app, steps, (120, 34))


def test_the_form_tells_what_the_answers_come_to_while_it_is_filled_in(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("2", "o")
        await until(pilot, lambda: isinstance(app.screen, Form))
        box = app.screen.query_one("#field-claim", Input)
        box.focus()
        await pilot.press(*"C2")
        await until(pilot, lambda: "repliquant run lad2023 --claim C2" in _live(app))
        assert " cells to run, about " in _live(app)
        await pilot.press("9")
        await until(pilot, lambda: "✗ no claim 'C29'" in _live(app))

    drive(app, steps, (110, 44))


def _live(app: Repliquant) -> str:
    return str(app.screen.query_one("#live").render())


def test_what_would_decide_a_claim_is_run_from_the_claim(app: Repliquant) -> None:
    asked: list[Request] = []

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        app.live.start = lambda request, *_: asked.append(request)  # type: ignore[method-assign]
        await pilot.press("6")
        await until(pilot, lambda: app.screen.query_one(Rows).count > 9)
        claims = app.screen.claims  # type: ignore[attr-defined]
        at = next(i for i, one in enumerate(claims) if one.measured.wanted)
        app.screen.query_one(Rows).cursor = at
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, Question))
        text = shown(app)
        assert "What would decide it: " in text and " more process" in text
        assert f"--claim {claims[at].number}" in text and "--budget 10m" in text
        await pilot.press("y")
        await until(pilot, lambda: bool(asked) and app.current_mode == "run")
        (request,) = asked
        assert (request.budget_s, request.tier) == (600.0, "quick")
        assert request.run_dir is not None and request.run_dir.name == RUN
        assert request.expression.startswith("id=")

    drive(app, steps, (120, 34))


def test_a_claim_that_is_decided_needs_no_run(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("6")
        await until(pilot, lambda: app.screen.query_one(Rows).count > 9)
        await pilot.press("d")
        await until(pilot, lambda: "C1 is decided: holds here." in app.said)

    drive(app, steps)


def test_a_plan_in_words_counts_what_is_done_and_what_is_missing(app: Repliquant) -> None:
    prepared = prepare(Request("lad2023"))
    states = {planned.id: "ok" for planned in prepared.chosen[:3]}
    words = plan_words(prepared, states)
    able = sum(not planned.skip for planned in prepared.chosen)
    assert words.cells == f"{able - 3} of {len(prepared.chosen)} cells to run, 3 done"
    assert words.rest[0] == "1 cell can't run: needs an NVIDIA GPU; none was found"
    assert words.rest[-1].startswith("engine local; runs/lad2023-quick-digits, ")
