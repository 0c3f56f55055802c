"""The form of options takes what ``repliquant run`` takes, and refuses what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from textual.pilot import Pilot
from textual.widgets import Input, Static

from manifests.errors import InputError
from orchestrator.running.request import Request
from papers.study import load_study
from services.run_options import read_options
from services.selection import RunOptions
from tests.conftest import ROOT
from tests.tui.conftest import drive, settle, shown
from tui import launch, run_form
from tui.app import Repliquant
from tui.commands import tui as command
from tui.screens.dialogs import Form


async def fill(pilot: Pilot[str], app: Repliquant, **texts: str) -> None:
    """Open the form, put texts into its fields, and submit it."""
    if not isinstance(app.screen, Form):
        await pilot.press("2", "o")
        await pilot.pause()
    assert isinstance(app.screen, Form)
    for name, text in texts.items():
        app.screen.query_one(f"#field-{name}", Input).value = text
    app.screen.query_one("#field-claim", Input).focus()
    await pilot.press("enter")
    await settle(pilot, app)


def test_everything_that_run_takes_is_asked_for(recorded: Path) -> None:
    study = load_study("lad2023", ROOT / "studies")  # it has an experiment
    asked = {field.name for field in run_form.fields(RunOptions(Request("x")), study, None)}
    assert asked == set(read_options({}))


def test_what_is_chosen_is_what_the_command_line_would_make_of_it(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await fill(pilot, app, claim="c2", threads="3", cpus="0-1", expression="tensorflow")
        assert not isinstance(app.screen, Form)
        options = app.data.options
        assert (options.claim, options.sample) == ("c2", False)
        request = options.request
        assert (request.threads, request.cpus, request.gpus) == (3, (0, 1), None)
        assert app.data.planned is not None
        assert app.data.planned.request.expression.startswith("(tensorflow) and id=")
        assert "-k tensorflow   claim c2" in shown(app)
        await pilot.press("o")
        assert isinstance(app.screen, Form)
        values = {box.id: box.value for box in app.screen.query(Input)}
        assert values["field-cpus"] == "0,1"
        assert values["field-claim"] == "c2"

    drive(app, steps, (100, 30))


def test_a_budget_is_asked_for_and_stands_on_the_plan(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await fill(pilot, app, budget_s="90m", repeats="2")
        assert not isinstance(app.screen, Form)
        assert app.data.planned is not None
        request = app.data.planned.request
        assert (request.budget_s, request.repeats) == (5400.0, 2)
        assert "budget 90m" in shown(app)
        await pilot.press("o")
        values = {box.id: box.value for box in app.screen.query(Input)}
        assert (values["field-budget_s"], values["field-repeats"]) == ("90m", "2")

    drive(app, steps, (100, 30))


@pytest.mark.first(2)
@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "cpus",
            "0x",
            "Invalid value for '--cpus': '0x' is not a list of processors; write it as 0-3,6",
        ),
        ("cpus", "-1", "Invalid value for '--cpus': '-1' is not a list of processors"),
        ("gpus", "0,", "'0,' is not a list of GPUs; write all, or 0,1"),
        ("memory_bytes", "8x", "'8x' is not a size; give 16m or more, e.g. 8g"),
        ("budget_s", "10", "'10' is not a time; give 90s, 10m, 2h or 1h30m"),
        ("threads", "many", "Invalid value for '--threads': 'many' is not a valid whole number"),
        ("claim", "C99", "no claim 'C99'."),
        ("expression", "tensrflow", "Did you mean 'tensorflow'?"),
        ("python", "no/such/python", "--python 'no/such/python' is not an executable"),
        ("dataset", "\x1b[2J[red]", "[2J[red]"),
    ],
)
def test_what_cannot_be_used_is_said_and_the_form_keeps_its_values(
    app: Repliquant, name: str, text: str, told: str
) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        before = app.data.planned
        await fill(pilot, app, run_dir="runs/mine", **{name: text})
        assert isinstance(app.screen, Form)
        words = str(app.screen.query_one("#problem", Static).content)
        assert words.startswith("✗ ")
        assert told in words
        assert "\x1b" not in words
        assert app.screen.query_one(f"#field-{name}", Input).value == text
        assert app.screen.query_one("#field-run_dir", Input).value == "runs/mine"
        assert app.data.planned is before
        await fill(pilot, app, **{name: ""})
        assert not isinstance(app.screen, Form)
        assert app.data.request.run_dir == Path("runs/mine")

    drive(app, steps, (100, 34))


def test_a_sample_is_one_cell_of_each_environment_with_what_it_starts_from(
    app: Repliquant,
) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        app.data.plan(app.data.options._replace(sample=True))
        await pilot.press("2")
        await settle(pilot, app)
        assert app.data.prepared is not None
        images = [planned.image for planned in app.data.prepared.chosen if not planned.skip]
        assert len(set(images)) == 2
        assert "   sample   " in shown(app)

    drive(app, steps)


def test_a_plan_that_failed_can_be_mended_with_the_same_form(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        options = app.data.options
        app.data.plan(options._replace(request=options.request._replace(data_dir=Path("nowhere"))))
        await pilot.press("2")
        await settle(pilot, app)
        assert app.data.prepared is None
        assert "nowhere" in shown(app)
        await fill(pilot, app, data_dir="")
        assert app.data.prepared is not None

    drive(app, steps)


def test_a_form_on_a_low_terminal_scrolls_to_its_fields(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("2", "o")
        await pilot.pause()
        app.screen.query_one("#field-run_dir", Input).focus()
        await pilot.pause(0.5)
        assert "run folder" in shown(app)

    drive(app, steps, (60, 12))


@pytest.mark.parametrize("study", [[], ["shafique2023"]])
def test_the_command_plans_first_what_its_options_say(
    recorded: Path, monkeypatch: pytest.MonkeyPatch, study: list[str]
) -> None:
    shown_apps: list[Repliquant] = []
    monkeypatch.setattr(launch, "_need_terminal", lambda: None)
    monkeypatch.setattr(launch, "_shown", lambda app: shown_apps.append(app) or 0)
    arguments = [*study, "--tier", "short", "--claim", "C2", "--sample", "--threads", "2"]
    arguments += ["--cpus", "0-1", "--gpus", "all", "--memory", "8g", "--python", "python3"]
    CliRunner().invoke(command, arguments, catch_exceptions=False, standalone_mode=False)
    options = shown_apps[0].data.options
    assert (options.claim, options.sample) == ("C2", True)
    assert options.request == Request(
        study[0] if study else "lad2023", "short", threads=2, cpus=(0, 1), gpus=("all",),
        memory_bytes=8 * 2**30, python=Path("python3"),
    )  # fmt: skip


def test_options_read_as_on_the_command_line() -> None:
    read = read_options({"sample": "yes", "claim": "C2", "cpus": "0-1", "data_dir": "x"})
    assert (read["sample"], read["claim"], read["cpus"]) == (True, "C2", (0, 1))
    assert read["data_dir"] == Path("x")
    assert read_options({"sample": "no"})["sample"] is False
    with pytest.raises(InputError, match="'--threads'"):
        read_options({"threads": "-1"})
