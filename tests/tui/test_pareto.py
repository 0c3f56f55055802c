"""The picture of a Pareto front, and its screen by keys."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from textual.pilot import Pilot

from comparisons.measured import NOTHING, Measured
from comparisons.pareto import Network, Place, Way, on_front
from tests.tui.conftest import drive, shown
from tui.app import Repliquant
from tui.screens.explain import ExplainScreen
from tui.screens.manifest import ManifestScreen
from tui.screens.pareto import ParetoScreen
from tui.views.pareto import scatter
from tui.widgets.rows import Rows


def a_network(places: list[Place], flagged: int = -1) -> Network:
    """Ways with these numbers, in that order."""
    marks = on_front(places)
    ways = [
        Way(
            "onnxruntime", f"way-{index}", "", "", _number(place.latency_ms),
            _number(place.quality), None, reason="flagged: drift" if index == flagged else "",
            front=mark and index != flagged,
        )
        for index, (place, mark) in enumerate(zip(places, marks, strict=True))
    ]  # fmt: skip
    return Network({"model": "resnet18"}, "accuracy", tuple(ways))


def _number(value: float) -> Measured:
    return NOTHING._replace(value=value, n=1, state="ok", values=(value,))


def test_the_front_is_a_stair_from_the_fastest_to_the_best() -> None:
    network = a_network([Place(1, 90), Place(10, 95), Place(100, 100), Place(100, 90)])
    lines = [line.plain for line in scatter(network, 3, 31, 3, lambda tone: tone)]
    assert lines == [
        "  100.0 %                     c",
        "                    b─────────╯",
        "  90.00 % a─────────╯         d",
        "          1.000 ms     100.0 ms",
    ]


def test_letters_stand_for_rows_and_the_chosen_one_is_seen() -> None:
    network = a_network([Place(1, 90), Place(1, 90), Place(9, 80)])
    styles = [span.style for line in scatter(network, 1, 40, 4, lambda tone: tone) for span in line.spans]  # noqa: E501 # fmt: skip
    picture = "\n".join(line.plain for line in scatter(network, 1, 40, 4, lambda tone: tone))
    assert "reverse" in styles and "b" in picture and "c" in picture


@given(
    st.lists(st.builds(Place, st.floats(0.001, 1e5), st.floats(0, 100)), min_size=1, max_size=40),
    st.integers(12, 150), st.integers(1, 20), st.integers(0, 45),
)  # fmt: skip
def test_any_numbers_fill_their_place(
    places: list[Place], width: int, height: int, chosen: int
) -> None:
    lines = scatter(a_network(places, flagged=1), chosen, width, height, lambda tone: tone)
    assert len(lines) == height + 1
    assert len({line.cell_len for line in lines[:-1]}) == 1


def test_what_is_equal_lies_on_the_axis() -> None:
    network = a_network([Place(2, 100), Place(8, 100)])
    lines = [line.plain for line in scatter(network, 0, 31, 2, lambda tone: tone)]
    assert lines[:2] == [" " * 31, "  100.0 % a                   b"]


def test_nothing_to_compare_draws_nothing() -> None:
    assert scatter(Network({}, "accuracy", ()), 0, 40, 5, lambda tone: tone) == []


def test_the_front_is_opened_from_the_speedups_and_leads_to_the_cells(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("5", "f")
        await pilot.pause()
        assert isinstance(app.screen, ParetoScreen)
        first = shown(app)
        assert "accuracy against latency" in first and "pytorch" in first
        await pilot.press("right_square_bracket")
        await pilot.pause()
        assert shown(app) != first and "2 of" in shown(app)
        await pilot.press("left_square_bracket", "v")
        await pilot.pause()
        rows = app.screen.query_one("#ways", Rows)
        assert rows.count > 1
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, ManifestScreen)
        await pilot.press("escape", "question_mark")
        await pilot.pause()
        assert "by accuracy, agreement or SQNR" in shown(app)
        await pilot.press("escape", "escape")
        await pilot.pause()
        assert isinstance(app.screen, ExplainScreen)

    drive(app, steps)


def test_without_two_ways_to_compare_the_key_says_so(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        assert app.data.results is not None
        app.data.results = app.data.results._replace(networks=[])
        await pilot.press("5", "f")
        await pilot.pause()
        assert isinstance(app.screen, ExplainScreen)
        assert any("No network was measured in two ways" in text for text in app.said)

    drive(app, steps)
