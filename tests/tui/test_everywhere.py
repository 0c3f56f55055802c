"""What holds on every screen: filters while one types, copies, sorting, columns."""

from __future__ import annotations

import pytest
from textual.pilot import Pilot

from orchestrator.running.request import Request
from services.run_options import command_line, read_options
from services.selection import RunOptions
from tests.tui.conftest import RUN, drive, shown
from tests.tui.scenes import until
from tui import run_form
from tui.app import Repliquant
from tui.copying import Copied, choices
from tui.screens.dialogs import Question, choice_button
from tui.screens.picker import Tick
from tui.widgets.rows import Rows
from tui.widgets.tables import Column, Field, Parts, Table, ordered, shared, without


def _rows(app: Repliquant) -> Rows:
    return app.screen.query_one(Rows)


def test_a_filter_narrows_while_one_types_and_escape_takes_it_back(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("2")
        every = _rows(app).count
        await pilot.press("slash", *"qat-eager")
        await until(pilot, lambda: 0 < _rows(app).count < every)
        few = _rows(app).count
        await pilot.press("x", "x")
        await until(pilot, lambda: _rows(app).count == every)  # nothing has "qat-eagerxx"
        await pilot.press("backspace", "backspace", "enter")
        await until(pilot, lambda: _rows(app).count == few)
        assert "filter: qat-eager" in shown(app)
        await pilot.press("escape")
        await until(pilot, lambda: _rows(app).count == every)

    drive(app, steps, (110, 30))


@pytest.mark.first(1)
@pytest.mark.parametrize(("screen", "words", "left"), [("4", "int8 size", 2), ("6", "faster", 1)])
def test_tables_claims_and_speedups_are_filtered_by_words(
    app: Repliquant, screen: str, words: str, left: int
) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press(screen)
        await until(pilot, lambda: _rows(app).count > left)
        await pilot.press("slash", *words, "enter")
        await until(pilot, lambda: _rows(app).count == left)
        await pilot.press("slash", *"no such words", "enter")
        await until(pilot, lambda: any("no such words" in said for said in app.said))

    drive(app, steps)


def test_a_number_is_copied_with_its_citation_in_three_keys(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4")
        await until(pilot, lambda: bool(app.screen.copies()))  # type: ignore[attr-defined]
        await pilot.press("y", "c")
        await until(pilot, lambda: bool(app.clipboard))
        told = app.clipboard
        assert told.startswith("pytorch float32 size: measured 42.62 MiB (1 process, cell")
        assert f"of run {RUN}, Repliquant " in told
        assert "published 42.62 MB in Abhi Lad (2023): Quantization Support Comparison" in told
        assert told.endswith("Table I, section V")
        await pilot.press("y", "y")
        await until(pilot, lambda: app.clipboard == "42.62 MiB")
        await pilot.press("y", "m")
        command = f"repliquant table lad2023 {RUN} --table table1"
        await until(pilot, lambda: app.clipboard == command)

    drive(app, steps)


def test_each_screen_copies_the_command_that_shows_the_same(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        for keys, command in (
            ("1", "repliquant run lad2023"),
            ("5", f"repliquant explain lad2023 {RUN}"),
            ("6", f"repliquant claims lad2023 {RUN} --claim C1"),
        ):
            await pilot.press(keys)
            await pilot.pause()
            await until(pilot, lambda: bool(app.screen.copies()))  # type: ignore[attr-defined]
            await pilot.press("y", "m")
            await until(pilot, lambda command=command: app.clipboard == command)
        await pilot.press("y")
        assert isinstance(app.screen, Question)
        await pilot.press("escape")
        assert app.clipboard == command

    drive(app, steps)


def test_the_command_of_a_plan_says_what_was_chosen_and_nothing_that_is_the_default() -> None:
    given = {"tier": "short", "claim": "C2", "cpus": "0-3", "budget_s": "10m", "engine": "auto"}
    line = command_line("lad2023", given)
    assert line == "repliquant run lad2023 --tier short --budget 10m --cpus 0-3 --claim C2"
    assert read_options(given)["budget_s"] == 600.0
    assert command_line("x", run_form.texts(RunOptions(Request("x")))) == "repliquant run x"


def test_z_sorts_by_each_column_and_the_cursor_stays_on_its_row(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4")
        await until(pilot, lambda: _rows(app).count > 0)
        await pilot.press("z", "z", "z")  # framework, quantity, published
        lines = [line for line in shown(app).splitlines() if " size " in line or "reduc" in line]
        assert "▲published" in shown(app)
        assert "10.76" in lines[0] and "11.31" in lines[1]
        row = _rows(app)
        assert row.cursor == 0  # of the table, wherever it stands now
        await pilot.press("Z", "g")
        assert "▼published" in shown(app)
        assert "74.7 %" in next(line for line in shown(app).splitlines() if "reduction" in line)
        await pilot.click("#rows", offset=(4, 0))
        assert "▲framework" in shown(app)

    drive(app, steps, (100, 30))


def test_columns_are_chosen(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4")
        await until(pilot, lambda: _rows(app).count > 0)
        await pilot.press("C")
        await until(pilot, lambda: isinstance(app.screen, Tick))
        await pilot.press("down", "space", "enter")
        await pilot.pause()
        assert _rows(app).hidden == {"quantity"}
        assert "quantity" not in shown(app) and "published" in shown(app)

    drive(app, steps, (100, 30))


def test_what_is_copied_is_no_markup_on_its_button() -> None:
    told = "2.1 x [2.05, 2.31] [/] [@click=app.exit]x[/]"
    (choice,) = choices([Copied("y", "the number", told)])
    assert str(choice_button(choice).label) == f"the number: {told} (y)"


def test_order_puts_numbers_as_numbers_and_what_has_none_last() -> None:
    told = ["9.5 ms", "10.25 ms", "", "1,000 ms", "not run"]
    table = Table([Column("time")], len(told), lambda index: [told[index]])
    assert ordered(table, "time", False) == [0, 1, 3, 4, 2]
    assert ordered(table, "time", True) == [4, 3, 1, 0, 2]
    assert ordered(table, "elsewhere", False) == [0, 1, 2, 3, 4]


def test_columns_that_grow_share_what_is_left() -> None:
    columns = [Column("a", grow=True), Column("b", most=5), Column("c", grow=True)]
    assert shared(columns, [20, 5, 60], 100) == [20, 5, 71]
    assert sum(shared(columns, [40, 5, 60], 60)) == 56  # with the two gaps
    assert shared(columns, [20, 5, 60], 10) == [8, 5, 8]
    names_first = [columns[0], columns[1]]
    assert shared(names_first, [20, 5], 100) == [20, 5]  # the rest is left empty


def test_a_hidden_column_is_gone_from_every_row_and_one_always_stays() -> None:
    table = Table(
        [Column("a"), Column("b")], 1, lambda index: [Parts((Field("x"), Field("y"))), "z"]
    )
    assert [column.name for column in without(table, {"a"}).columns] == ["b"]
    assert without(table, {"a"}).row(0) == ["z"]
    assert without(table, {"a", "b"}) is table
