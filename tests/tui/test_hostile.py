"""Whatever a framework prints or a file holds: nothing crashes, nothing smears, nothing is run."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from manifests.manifest import Gpu
from manifests.telemetry_series import GpuSample, HostSample, Opening, Sample
from orchestrator.messages import LogLine
from tests.tui.conftest import drive, shown
from tests.tui.hostile import HOSTILE, check, lines_of
from tui.app import Repliquant
from tui.live import Followed
from tui.views.machine import Trace
from tui.widgets.log import KEPT_LINES, Log
from tui.widgets.rows import Column, Rows, Table


class Page(App[None]):
    """A log and a table, nothing else."""

    def compose(self) -> ComposeResult:
        yield Log(id="log")
        yield Rows(id="rows")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(HOSTILE) | st.text(max_size=200), min_size=1, max_size=30))
def test_any_text_in_a_log_and_a_table(texts: list[str]) -> None:
    async def main() -> None:
        app = Page()
        async with app.run_test(size=(40, 20)) as pilot:
            app.query_one(Log).add(texts)
            columns = [Column("a", grow=True), Column("b", True, most=9)]
            rows = app.query_one(Rows)
            rows.show(Table(columns, len(texts), lambda index: [texts[index], texts[index]]))
            await pilot.pause()
            check(lines_of(app), 40)
            app.query_one(Log).find(texts[0][:5])
            await pilot.press("down", "end", "home")
            await pilot.pause()
            check(lines_of(app), 40)

    asyncio.run(main())


def test_a_log_keeps_its_last_lines() -> None:
    async def main() -> None:
        app = Page()
        async with app.run_test(size=(40, 20)) as pilot:
            log = app.query_one(Log)
            log.add(str(number) for number in range(KEPT_LINES + 100))
            await pilot.pause()
            assert log.line_count == KEPT_LINES
            assert str(KEPT_LINES + 99) in "".join(lines_of(app))
            assert log.find("9") > 0
            assert not log.following
            log.add(["later"])
            assert not log.following

    asyncio.run(main())


def test_hostile_notes_and_logs_of_a_run(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("3")
        await pilot.pause()
        for text in HOSTILE:
            app.live.queue.inbox.put(LogLine(text, "important"))
            app.complain(text)
        await pilot.pause(0.5)
        page = app.screen
        page.follow(Followed(HOSTILE, True, HOSTILE))  # type: ignore[attr-defined]
        await pilot.press("]", "]")
        await pilot.pause()
        assert "\x1b" not in shown(app)
        assert app.is_running

    drive(app, steps)


@pytest.mark.parametrize("reason", ["GPU is lost", "\x1b[31m" + "x" * 10_000])
def test_a_driver_that_vanishes_in_the_middle(reason: str) -> None:
    trace = Trace()
    trace.opening = Opening(started_at="", interval_s=0.2, gpus={0: Gpu(name="H100")})
    host = HostSample(cpu_percent=50.0)
    trace.add(Sample(time_s=0, host=host, gpus=[GpuSample(index=0, utilization_percent=90.0)]))
    trace.add(
        Sample(
            time_s=1, host=host, gpus=[GpuSample(index=0)],
            reasons={"gpus/0/utilization_percent": reason},
        )
    )  # fmt: skip
    text = "\n".join(line.plain for line in trace.lines(80, "", ""))
    assert "– %" in text
    assert "\x1b" not in text
    trace.add(Sample(time_s=2, host=host, reasons={"gpus": reason}))
    assert "GPU" in trace.lines(80, "", "")[-1].plain


def test_damaged_files_of_a_run_are_said_and_the_rest_is_shown(
    app: Repliquant, recorded: Path
) -> None:
    cells = sorted((recorded / "cells").iterdir())
    (cells[0] / "manifest.json").write_bytes(b"\xff\x1b[2J{" * 1000)
    (cells[1] / "events.jsonl").write_bytes(b"\x00" * 1000)
    (cells[2] / "telemetry.jsonl").write_bytes(b"no series\n")

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4")
        await pilot.pause()
        assert app.data.results is not None
        assert len(app.data.results.warnings) == 1
        await pilot.press("[", "down", "enter", "]", "]", "]", "]", "escape")
        assert app.is_running

    drive(app, steps)
