"""Reports, archives and the doctor from the screen, which write what the commands write."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from services import doctor
from services.archives import bundle, check_archive
from services.reports import write_report
from services.runs import find_run
from tests.tui.conftest import RUN, drive, settle, shown
from tests.tui.hostile import HOSTILE, check, lines_of
from tui.app import Repliquant
from tui.loaded import Loaded, Remark, Remarks
from tui.screens.dialogs import Form
from tui.screens.machine import MachineScreen
from tui.screens.remarks import RemarksScreen


async def until_told(pilot: Pilot[str], app: Repliquant, part: str) -> None:
    await settle(pilot, app)
    for _ in range(100):
        if any(part in message for message in app.said):
            return
        await pilot.pause(0.05)
    raise AssertionError(app.said)


@pytest.mark.first(1)
@pytest.mark.parametrize("format_", ["html", "md", "latex"])
def test_a_report_is_the_same_file_as_the_commands(
    app: Repliquant, recorded: Path, tmp_path: Path, format_: str
) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4", "w")
        assert isinstance(app.screen, Form)
        app.screen.dismiss({"path": str(recorded / "screen"), "format": format_})
        await until_told(pilot, app, "Written: ")

    drive(app, steps)
    written = (recorded / "screen").read_bytes()
    path = write_report(find_run(recorded), recorded / "command", format_).path
    assert written == path.read_bytes()


def test_an_archive_is_made_and_verified(app: Repliquant, tmp_path: Path) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4", "b")
        assert isinstance(app.screen, Form)
        assert "lad2023-quick-digits.crate.zip" in shown(app)
        await pilot.press("enter")
        await until_told(pilot, app, "Written: lad2023-quick-digits.crate.zip: ")
        await pilot.press("1", "v", *f"{RUN}.crate.zip", "enter")
        for _ in range(200):
            if isinstance(app.screen, RemarksScreen) and app.screen.settled:
                break
            await pilot.pause(0.05)
        await pilot.pause()
        text = shown(app)
        assert f"{RUN}.crate.zip: archive verified" in text
        assert "● ok" in text and "hashes" in text
        await pilot.press("escape")
        assert not isinstance(app.screen, RemarksScreen)

    drive(app, steps, (100, 30))
    assert not any(c.wrong for c in check_archive(tmp_path / f"{RUN}.crate.zip"))


def test_a_changed_archive_is_not_good(app: Repliquant, recorded: Path, tmp_path: Path) -> None:
    archive = tmp_path / "changed.crate.zip"
    bundle(find_run(recorded), archive, False)
    content = archive.read_bytes()
    archive.write_bytes(content.replace(b'"machine"', b'"mashine"', 1))
    (tmp_path / "none.zip").write_bytes(b"\x1b[2J")

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        for name in ("none.zip", "nowhere.zip"):
            await pilot.press("v", *name, "enter")
            await until_told(pilot, app, f"{name}")
            assert not isinstance(app.screen, RemarksScreen)

    drive(app, steps)


def test_no_archive_named_is_said_in_the_form(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("v", "enter")
        await settle(pilot, app)
        assert isinstance(app.screen, Form)
        assert "give the path of an archive" in shown(app)

    drive(app, steps)


def test_a_place_that_cannot_be_written_is_said(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        for key, more in (("w", {"format": "md"}), ("b", {"artifacts": "no"})):
            await pilot.press("4", key)
            assert isinstance(app.screen, Form)
            app.screen.dismiss({"path": "/proc/none/x", **more})
            await until_told(pilot, app, "/proc/none/x can't be written to: ")
            app.said.clear()

    drive(app, steps)


def test_nothing_is_written_where_one_only_looks(recorded: Path) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        before = sorted(recorded.rglob("*"))
        for action in ("app.report", "app.bundle"):
            await app.run_action(action)
            await pilot.pause()
            assert not isinstance(app.screen, Form)
        assert sum("is off: --readonly." in message for message in app.said) == 2
        await pilot.press("v")
        assert isinstance(app.screen, Form)
        assert sorted(recorded.rglob("*")) == before

    drive(Repliquant(sample=False, readonly=True), steps)


def test_a_replay_writes_nothing(replaying: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("4", "w", "b")
        assert not isinstance(app.screen, Form)
        assert any("is off: this is a replay." in message for message in app.said)

    drive(replaying, steps)


def test_without_a_run_there_is_nothing_to_report(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("down", "r")
        await settle(pilot, app)
        await pilot.press("w")
        assert not isinstance(app.screen, Form)
        assert any("no run of shafique2023" in message for message in app.said)

    drive(app, steps)


def test_the_doctors_findings_are_a_screen(
    app: Repliquant, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [
        doctor.Diagnosis("ok", "python", "3.11"),
        doctor.Diagnosis("problem", "runs", "not writable", "set REPLIQUANT_RUNS"),
    ]
    monkeypatch.setattr(doctor, "examine", lambda: iter(found))

    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("d")
        for _ in range(100):
            if isinstance(app.screen, MachineScreen) and "✗ problem" in shown(app):
                break
            await pilot.pause(0.05)
        assert shown(app).index("✗ problem") < shown(app).index("● ok")  # what to do comes first
        await pilot.press("enter")
        await pilot.pause()
        assert "set REPLIQUANT_RUNS" in shown(app)
        await pilot.press("escape", "escape")
        assert app.current_mode == "home"

    drive(app, steps)


@pytest.mark.first(1)
@pytest.mark.parametrize("size", [(20, 5), (80, 24)])
def test_hostile_findings(app: Repliquant, size: tuple[int, int]) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        found = [Remark(text, text, text, text) for text in HOSTILE]
        app.post_message(Loaded(Remarks(HOSTILE[0], HOSTILE[1], found)))
        await pilot.pause(0.2)
        for _ in HOSTILE:
            await pilot.press("enter")
            await pilot.pause()
            check(lines_of(app), size[0])
            await pilot.press("escape", "down")
            await pilot.pause()
            check(lines_of(app), size[0])
        await pilot.press("question_mark")
        await pilot.pause()
        check(lines_of(app), size[0])

    drive(app, steps, size)


def test_the_palette_offers_what_has_no_screen(app: Repliquant) -> None:
    async def steps(pilot: Pilot[str], app: Repliquant) -> None:
        await pilot.press("ctrl+p", *"verify", "enter", "enter")
        for _ in range(60):
            if isinstance(app.screen, Form):
                break
            await pilot.pause(0.05)
        assert isinstance(app.screen, Form)
        assert "Verify an archive" in shown(app)

    drive(app, steps)
