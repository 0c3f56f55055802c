"""Screen 6: verdicts and findings, in full, and from a claim to the cells that it needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest
from textual.pilot import Pilot

from comparisons import results
from comparisons.claims import Verdict
from manifests.errors import InputError
from tests.tui.conftest import RUN, drive, settle, shown
from tests.tui.hostile import HOSTILE, check, lines_of
from tui import loaders
from tui.app import Repliquant
from tui.screens.full import Full
from tui.screens.manifest import ManifestScreen
from tui.screens.picker import Pick
from tui.widgets.rows import Rows


async def go(pilot: Pilot[str], app: Repliquant, *keys: str) -> str:
    """Press, wait for what threads read; the screen."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
    await settle(pilot, app)
    return shown(app)


def test_claims_have_their_verdicts_on_the_paper_and_on_the_run(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        text = await go(pilot, app, "6")
        assert app.current_mode == "claims"
        assert f"run {RUN}   measured: 1 holds here" in text
        assert "● holds" in text
        assert "C1" in text and "C15" in text
        assert "on the paper's numbers: holds: reduction in size of Table I" in text
        assert "on this run: " in text

    drive(app, steps, (80, 40))


def test_findings_stand_in_a_tab_of_their_own(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await go(pilot, app, "down", "c")
        text = await go(pilot, app, "right_square_bracket")
        assert "shafique2023   16 findings in " in text
        assert "certain" in text
        assert "possible explanation: " in text
        text = await go(pilot, app, "enter")
        assert isinstance(app.screen, Full)
        assert "confidence: " in text and "where: " in text
        await go(pilot, app, "escape", "left_square_bracket")
        assert "C1" in shown(app)

    drive(app, steps, (90, 30))


def test_a_wide_screen_has_the_numbers_in_the_table(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        text = await go(pilot, app, "6")
        assert " evidence " in text.splitlines()[4]
        text = await go(pilot, app, "right_square_bracket")
        assert "possible explanation" in text.splitlines()[4]

    drive(app, steps, (132, 40))


def test_without_a_run_the_papers_own_numbers_stand_alone(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        text = await go(pilot, app, "down", "c")
        assert "shafique2023   measured: 22 not measured, 1 untestable   no run" in text
        assert "○ not measured" in text
        assert "on this run: not measured: no run" in text
        await go(pilot, app, "c")
        assert not isinstance(app.screen, Pick)

    drive(app, steps, (80, 30))


def test_going_to_another_study_and_back_judges_each(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        for _ in range(2):
            text = await go(pilot, app, "1", "end", "c")
            assert "shafique2023   measured: 22 not measured, 1 untestable" in text
            await pilot.press("1", "home", "c", "1", "end", "c")  # without waiting for anything
            await settle(pilot, app)
            assert "shafique2023   measured: 22 not measured, 1 untestable" in shown(app)
            text = await go(pilot, app, "1", "home", "c")
            assert f"run {RUN}   measured: 1 holds here" in text

    drive(app, steps)


def test_a_claim_in_full_has_its_test_and_leads_to_its_cells(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        text = await go(pilot, app, "6", "enter")
        assert isinstance(app.screen, Full)
        assert "C1 (size-pytorch)" in text
        assert "test: near(table1.reduction[framework=pytorch], 75, tolerance)" in text
        assert "tolerance: 2" in text
        assert "cells: " in text
        await go(pilot, app, "c")
        assert isinstance(app.screen, Pick)
        await go(pilot, app, "enter")
        assert isinstance(app.screen, ManifestScreen)
        await go(pilot, app, "escape")
        assert app.current_mode == "claims"

    drive(app, steps)


def test_the_cells_of_a_claim_are_planned_and_escape_plans_all(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        every = len(app.data.prepared.chosen if app.data.prepared else [])
        text = await go(pilot, app, "6", "p")
        assert app.current_mode == "plan"
        assert "claim C1" in text
        assert app.data.planned is not None
        chosen = app.data.planned.prepared.chosen
        assert 0 < len(chosen) < every
        assert app.data.planned.request.expression.startswith("id=")
        await go(pilot, app, "escape")
        assert app.data.prepared is not None
        assert len(app.data.prepared.chosen) == every
        assert "claim C1" not in shown(app)

    drive(app, steps)


def test_a_claim_without_cells_says_so_and_the_plan_stays(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await go(pilot, app, "6")
        page = app.screen
        without = [n for n, judged in enumerate(page.claims) if judged.claim.untestable]  # type: ignore[attr-defined]
        page.query_one("#rows", Rows).cursor = without[0]
        await go(pilot, app, "p")
        assert app.current_mode == "claims"
        assert any("has nothing to run" in message for message in app.said)
        assert app.data.prepared is not None
        assert app.data.options.claim == ""

    drive(app, steps)


def test_what_is_shown_is_copied_as_markdown(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await go(pilot, app, "6")
        await go(pilot, app, "y", "t")
        assert app.clipboard.startswith("### Claims · tier quick")
        await go(pilot, app, "right_square_bracket", "y", "t")
        assert app.clipboard.startswith("### Audit of the numbers that lad2023 publishes")

    drive(app, steps)


@pytest.mark.parametrize(
    "size",
    [(20, 5), *(pytest.param(size, marks=pytest.mark.thorough) for size in ((40, 12), (80, 24)))],
)
def test_hostile_claims_and_findings(
    app: Repliquant, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    gather, audit = results.gather, loaders.audit

    def hostile_gather(*arguments: Any, **named: Any) -> Any:
        found = gather(*arguments, **named)
        claims = []
        for judged, text in zip(found.claims, HOSTILE, strict=False):
            claim = msgspec.structs.replace(judged.claim, text=text, place=text, test=text)
            verdict = Verdict("holds", text)
            claims.append(judged._replace(claim=claim, published=verdict, measured=verdict))
        return found._replace(claims=claims)

    def hostile_audit(folder: Path) -> Any:
        report = audit(folder)
        first = report.findings[0]
        found = [first._replace(rule=t, place=t, where=[t] * 50, innocent=t) for t in HOSTILE]
        return report._replace(findings=found)

    monkeypatch.setattr(results, "gather", hostile_gather)
    monkeypatch.setattr(loaders, "audit", hostile_audit)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await go(pilot, app, "6")
        for _ in range(2):
            for _ in HOSTILE:
                await pilot.press("enter")
                await pilot.pause()
                check(lines_of(app), size[0])
                await pilot.press("escape", "down")
                await pilot.pause()
                check(lines_of(app), size[0])
            await pilot.press("right_square_bracket", "home")
        assert app.is_running

    drive(app, steps, size)


def test_what_cannot_be_judged_says_why_and_the_other_tab_is_there(
    app: Repliquant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*arguments: Any, **named: Any) -> Any:
        raise InputError("claims.toml \x1b[2J[red]is damaged")

    monkeypatch.setattr(results, "gather", fails)

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        text = await go(pilot, app, "6")
        assert "[2J[red]is damaged" in text
        assert "\x1b" not in text
        await go(pilot, app, "enter", "p", "c", "y")
        text = await go(pilot, app, "right_square_bracket")
        assert "numbers checked" in text

    drive(app, steps)


def test_a_dialog_that_is_asked_for_twice_opens_once(app: Repliquant) -> None:
    """Keys come faster than it is made: one on top of the other would draw each other for ever."""

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("6")
        await settle(pilot, app)
        for _ in range(3):
            app.screen.query_one(Rows).post_message(Rows.Opened(app.screen.query_one(Rows), 0))
        await pilot.pause()
        await settle(pilot, app)
        assert [type(screen) for screen in app.screen_stack[1:]] == [Full]
        await pilot.press("escape")
        await settle(pilot, app)
        assert len(app.screen_stack) == 1

    drive(app, steps)
