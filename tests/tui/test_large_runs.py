"""A run of thousands of cells: its cells are there before its tables have been compared."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Tabs

from manifests.run_folder import Run
from tests.tui.conftest import drive, shown
from tests.tui.scenes import until
from tui import loaders
from tui.app import Repliquant
from tui.loaders import shown_by_and_by
from tui.widgets.rows import Rows


def test_a_small_run_is_read_at_once(recorded: Path) -> None:
    (found,) = shown_by_and_by(Run(recorded), "lad2023")
    assert found.whole and len(found.comparisons) == 7


def test_a_large_run_shows_its_cells_and_then_its_tables(
    app: Repliquant, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loaders, "LARGE", 3)
    cells, whole = shown_by_and_by(Run(recorded), "lad2023")
    assert (cells.whole, cells.comparisons) == (False, [])
    assert len(cells.manifests) == 9 and cells.manifests == whole.manifests

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        app.data.take(cells)
        await pilot.press("4")
        await until(pilot, lambda: app.screen.query_one(Rows).count == 33)
        assert "tables are being compared" in shown(app)
        assert app.screen.query_one(Tabs).tab_count == 1
        app.data.take(whole)
        app.renew()
        await until(pilot, lambda: app.screen.query_one(Tabs).tab_count == 8)
        await until(pilot, lambda: "tables are being compared" not in shown(app))
        await pilot.pause(0.2)
        assert app.screen.query_one(Tabs).active == "tab-cells"  # where one was already reading
        assert app.screen.query_one(Rows).count == 33

    drive(app, steps, (140, 30))
