"""``python -m tui.picture FOLDER [NAME ...]``: pictures of the screens, drawn from recorded runs.

FOLDER gets ``screen.svg`` (the README's) and ``screens/NAME.svg``, one for each of PICTURES; with
names, these alone. The recordings are in ``FOLDER/screens/recorded``, ``FOLDER/h100`` and the demo.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from textual.pilot import Pilot

from machine import inventory
from manifests.run_folder import Run
from orchestrator.engines.auto import Choice
from orchestrator.engines.registry import make_engine
from orchestrator.running import request
from services.machine_state import facts
from services.this_machine import Business, machine_words
from tui.app import Repliquant
from tui.recorded_runs import lay_out, recorded_findings, show, telemetry_of, the_machine
from tui.recording import read_recording
from tui.replay import Replay

DEMO = Path(__file__).parent / "demo" / "lad2023-quick-digits"
LAD, MATRIX = "lad2023-quick-digits", "lad2023-matrix"
CAPTIONERS = ("lad2023-captioner-again", "lad2023-captioner")
H100 = ("h100-shafique2023", "h100-lad2023")
TWO_H100 = ("h100-gpu-check-2", "h100-gpu-check-1")
ALL = (LAD, *CAPTIONERS, MATRIX, *H100)
_TRIES = 100


class Picture(NamedTuple):
    """``keys`` lead from home to the screen; ``moment`` is the share of a replay of the demo, None
    for none; of the ``runs`` that there are the first is the latest.
    """

    name: str
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = (132, 36)
    moment: float | None = None
    theme: str = "repliquant"
    runs: tuple[str, ...] = (LAD,)


PICTURES = (
    Picture("home", runs=ALL),
    Picture("home-small", size=(80, 24), runs=ALL),
    Picture("start", ("s",)),
    Picture("plan", ("2", "down", "space", "down", "space")),
    Picture("run", moment=0.27),
    Picture("run-small", size=(80, 24), moment=0.27),
    Picture("results", ("4", "]", "]", "]", "]", "]", "]")),
    Picture("results-light", ("4", "v"), theme="repliquant-light"),
    Picture("copy", ("4", "y"), (100, 28)),
    Picture("manifest", ("4", "[", "enter", "]", "]"), (110, 32)),
    Picture("explain", ("5",)),
    Picture("pareto", ("5", "f", "down")),
    Picture(
        "matrix", ("5", "m", "right", "right", "right", "right"), (132, 44), runs=(LAD, MATRIX)
    ),
    Picture("claims", ("6",)),
    Picture("claim", ("6", "down", "down", "enter"), (110, 32)),
    Picture("audit", ("down", "c", "]")),
    Picture("compare", ("tab", "space", "down", "space", "enter"), runs=TWO_H100),
    Picture("curves", ("tab", "space", "down", "space", "enter", "end", "o"), runs=CAPTIONERS),
    Picture("machine", ("d",)),
    Picture("machine-16-colours", ("d",), (80, 24), theme="ansi-dark"),
    Picture("help", ("4", "question_mark"), (90, 40)),
)
README = Picture("screen", size=(120, 34), moment=0.27)


def _nothing_of_this_machine() -> None:
    """Neither the engine that it has, nor how much of its disk is free: cells were processes."""
    local = Choice(make_engine("local"), "")
    request._engine = lambda *_: local
    inventory.free_bytes = lambda folder: None


def recorded_app(picture: Picture, findings: Path) -> Repliquant:
    """Over the runs that lie in the runs folder; its machine is that of the first of them."""
    replay = None
    if picture.moment is not None:
        replay = Replay(read_recording(Run(DEMO)), clock=lambda: 0.0)
    app = Repliquant(replay=replay, sample=False, theme=picture.theme)
    run = Run(DEMO if replay else Path("runs") / picture.runs[0])
    machine, conditions = the_machine(run)
    home = app.data.home
    home.machine = machine_words(machine, "local")
    home.business = Business(None, "as it was recorded")
    home.state = facts(conditions) if conditions else ()
    home.findings = recorded_findings(findings)
    home.look_at_machine = lambda: None  # type: ignore[method-assign]
    home.look_again_who_is_busy = lambda: None  # type: ignore[method-assign]
    series = telemetry_of(run)
    if replay is None and series is not None:
        app.live.trace.opening = series.opening
        for sample in series.samples:
            app.live.trace.add(sample)
    return app


async def draw(picture: Picture, path: Path, findings: Path) -> None:
    """One screen, as SVG."""
    app = recorded_app(picture, findings)
    async with app.run_test(size=picture.size) as pilot:
        await _settled(pilot, app)
        if app.live.replay is not None:
            app.live.seek(app.live.replay.recording.length_s * (picture.moment or 0.0))
            await _until_sampled(pilot, app)
        for key in picture.keys:
            await pilot.press(key)
            await _settled(pilot, app)
        await pilot.pause(0.5)
        svg = app.export_screenshot(title=f"repliquant {picture.name.partition('-')[0]}")
        path.write_text(_without_fonts(svg))


async def _settled(pilot: Pilot[str], app: Repliquant) -> None:
    """Until what threads read is on the screen."""
    for _ in range(_TRIES):
        await app.workers.wait_for_complete()
        await pilot.pause(0.05)
        data = app.data
        read = data.results is not None or bool(data.results_problem)
        if read and len(data.home.verdicts) == len(data.study_names):
            return


async def _until_sampled(pilot: Pilot[str], app: Repliquant) -> None:
    for _ in range(_TRIES):
        await pilot.pause(0.1)
        if app.live.trace.latest is not None:
            return


def _without_fonts(svg: str) -> str:
    """The viewer's own monospaced font; nothing is fetched. Spaces stay where a text begins."""
    svg = re.sub(r"@font-face\s*{[^}]*}\s*", "", svg)
    return svg.replace("<svg ", '<svg xml:space="preserve" ', 1)


def main(folder: Path, names: Sequence[str] = ()) -> None:
    """Draw them all; what is kept between starts is nobody's, and no path is this machine's."""
    folder = folder.resolve()
    _nothing_of_this_machine()
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        os.environ.update(REPLIQUANT_CACHE=f"{work}/cache", REPLIQUANT_RUNS="runs")
        lay_out(folder, Path("recorded"))
        shutil.copytree(DEMO, Path("demo") / DEMO.name)
        for picture in (*PICTURES, README):
            if names and picture.name not in names:
                continue
            if picture.moment is not None:
                show(Path("demo"), [DEMO.name], Path("runs"))
            else:
                show(Path("recorded"), picture.runs, Path("runs"))
            place = folder if picture is README else folder / "screens"
            findings = folder / "screens" / "recorded" / "doctor.json"
            asyncio.run(draw(picture, place / f"{picture.name}.svg", findings))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
