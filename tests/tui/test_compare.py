"""Several runs beside each other, and their curves one over the other, by keys."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import Input, Tabs

from manifests.run_folder import Run
from tests.tui.conftest import RUN, drive, shown
from tests.tui.scenes import until
from tui.app import Repliquant
from tui.curve_data import read_curves
from tui.loaded import Curve
from tui.screens.comparison import CompareScreen
from tui.screens.curves import CurvesScreen
from tui.screens.manifest import ManifestScreen
from tui.views.comparison import apart
from tui.views.overlay import overlay
from tui.widgets.rows import Rows

TRAINING = "1f5dbd8e2d16"
SIZE = (132, 40)


@pytest.fixture
def three(recorded: Path) -> list[Path]:
    """The recorded run, and two that have the same cells; of one a curve ends early."""
    others = [recorded.with_name(name) for name in ("second", "third")]
    for other in others:
        shutil.copytree(recorded, other)
    events = others[0] / "cells" / TRAINING / "events.jsonl"
    lines = events.read_text().splitlines(keepends=True)
    events.write_text("".join(lines[:6]))
    return [recorded, *others]


def test_three_runs_are_compared_in_five_keys(app: Repliquant, three: list[Path]) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("tab", "space", "space", "space", "enter")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))
        await until(pilot, lambda: "second" in shown(app))
        text = shown(app)
        head = next(line for line in text.splitlines() if "quantity" in line)
        assert "second" in head and "third" in head
        row = next(line for line in text.splitlines() if "latency" in line)
        assert row.count("  1.000  ") == 2
        assert text.count("the environments are the same") == 2

    drive(app, steps, SIZE)


def test_curves_of_compared_runs_lie_over_one_another(app: Repliquant, three: list[Path]) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("tab", "space", "space", "space", "enter")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, CurvesScreen) and "points" in shown(app))
        text = shown(app)
        assert all(name in text for name in (RUN, "second", "third"))
        assert "1 of " in text
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ManifestScreen))
        await pilot.press("escape", "escape")
        await until(pilot, lambda: isinstance(app.screen, CompareScreen))

    drive(app, steps, SIZE)


def test_results_draw_the_loss_of_every_run_that_has_the_cell(
    app: Repliquant, three: list[Path]
) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        app.data.show_run(three[0])
        await pilot.press("4")
        await until(pilot, lambda: bool(app.screen.copies()))  # type: ignore[attr-defined]
        await until(pilot, lambda: app.screen.query_one(Tabs).tab_count == 8)
        await pilot.press("left_square_bracket")
        await until(pilot, lambda: app.screen.query_one(Rows).count == 33)
        await pilot.press("slash")
        await until(pilot, lambda: isinstance(app.focused, Input))
        await pilot.press(*f"id={TRAINING}", "enter")
        await until(pilot, lambda: app.screen.query_one(Rows).count == 1)
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, CurvesScreen) and "loss" in shown(app))
        rows = app.screen.query_one(Rows)
        points = [rows._table.row(index)[3] for index in range(rows.count)]
        assert sorted(points) == ["3", "8", "8"]
        await pilot.press("v")
        await until(pilot, lambda: "items/s by step" in shown(app))

    drive(app, steps, SIZE)


def test_where_nothing_can_be_drawn_it_is_said(app: Repliquant, recorded: Path) -> None:
    for name in ("events.jsonl", "manifest.json"):
        for path in recorded.glob(f"cells/*/{name}"):
            path.write_text("")

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        app.data.read_curves([Run(recorded)], [TRAINING], "a cell")
        await until(pilot, lambda: any(said.startswith("No curve") for said in app.said))

    drive(app, steps)


def test_the_curves_of_a_training_are_its_events(recorded: Path) -> None:
    found = read_curves([Run(recorded), Run(recorded.with_name("gone"))], [TRAINING], "training")
    (loss,) = found.found["loss"]
    assert loss.steps == [1, 2, 3, 4, 5, 6, 7, 8]
    assert loss.values[0] == 2.4951415061950684
    assert found.across["loss"] == "step"


def test_what_counts_anew_goes_on_where_it_was(recorded: Path) -> None:
    events = recorded / "cells" / TRAINING / "events.jsonl"
    events.write_text(
        "".join(
            f'{{"event":"step","time_s":{at},"step":{step},"loss":{at}}}\n'
            for at, step in enumerate((1, 2, 3, 1, 2), 1)
        )
    )
    (loss,) = read_curves([Run(recorded)], [TRAINING], "").found["loss"]
    assert (loss.steps, loss.values) == ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5])


def _curve(steps: list[float], values: list[float]) -> Curve:
    return Curve(Run(Path("a")), "cell", steps, values)


def test_each_curve_ends_with_its_letter_where_it_ends() -> None:
    curves = [_curve([1, 5], [0, 1]), _curve([1, 3], [1, 0]), _curve([1, 5], [0, 1])]
    lines = [line.plain for line in overlay(curves, 0, 32, 4, lambda tone: tone)]
    assert lines[0] == "    1.000 ⠑⠢⡀            ⣀⡠⠤⠒⠉a "
    assert lines[1].rstrip().endswith("c")
    assert lines[3] == "        0 ⣀⠤⠒⠊⠉   ⠑⠢⡀b          "
    assert lines[4].split() == ["1", "5"]


def test_the_chosen_curve_is_seen_where_two_are_the_same() -> None:
    curves = [_curve([1, 2], [3, 3]), _curve([1, 2], [3, 3])]
    for chosen, colour in ((0, "bold primary"), (1, "bold success")):
        line = overlay(curves, chosen, 30, 1, lambda tone: tone)[0]
        assert any(colour in str(span.style) for span in line.spans)


def test_of_cells_that_begin_and_end_alike_the_rest_is_told() -> None:
    assert apart(
        ["pytorch infer float32 vgg 32 px gpu", "pytorch train float32 vgg 64 px gpu"]
    ) == [
        "infer float32 vgg 32",
        "train float32 vgg 64",
    ]
    assert apart(["pytorch infer", "pytorch infer"]) == ["pytorch infer", "pytorch infer"]
    assert apart(["a b", "a b c"]) == ["a b", "c"]
    assert apart([]) == []
