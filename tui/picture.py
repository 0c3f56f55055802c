"""``python -m tui.picture FOLDER``: pictures of the screens, drawn from the demo's recording.

FOLDER gets ``screen.svg`` (the README's) and ``screens/NAME.svg``, one for each of PICTURES.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from textual.pilot import Pilot

from machine import inventory
from manifests.run_folder import Run
from orchestrator.engines.auto import Choice
from orchestrator.engines.registry import make_engine
from orchestrator.running import request
from services.this_machine import Business, MachineWords, machine_words
from tui.app import Repliquant
from tui.recording import read_recording
from tui.replay import Replay

DEMO = Path(__file__).parent / "demo" / "lad2023-quick-digits"
_TRIES = 100


class Picture(NamedTuple):
    """``keys`` lead from home to the screen; ``moment`` is the share of a replay, None for none."""

    name: str
    keys: tuple[str, ...] = ()
    size: tuple[int, int] = (132, 36)
    moment: float | None = None
    theme: str = "repliquant"


PICTURES = (
    Picture("home"),
    Picture("home-small", size=(80, 24)),
    Picture("start", ("s",)),
    Picture("plan", ("2", "down", "space", "down", "space")),
    Picture("run", moment=0.42),
    Picture("run-small", size=(80, 24), moment=0.42),
    Picture("results", ("4", "]", "]", "]", "]", "]", "]")),
    Picture("results-light", ("4", "v"), theme="repliquant-light"),
    Picture("copy", ("4", "y"), (100, 28)),
    Picture("manifest", ("4", "[", "enter", "]", "]"), (110, 32)),
    Picture("explain", ("5",)),
    Picture("pareto", ("5", "f", "down")),
    Picture("claims", ("6",)),
    Picture("claim", ("6", "down", "down", "enter"), (110, 32)),
    Picture("audit", ("down", "c", "]")),
    Picture("help", ("4", "question_mark"), (90, 40)),
)
README = Picture("screen", size=(120, 34), moment=0.42)


def recorded_machine(run: Run) -> MachineWords:
    """The machine of the recording, so that no picture shows the one it is drawn on."""
    for manifest in run.load().manifests:
        if manifest.environment.machine is not None:
            return machine_words(manifest.environment.machine, "local")
    raise ValueError(f"{run.folder} names no machine")


def _nothing_of_this_machine() -> None:
    """Neither the engine that it has, nor how much of its disk is free: cells were processes."""
    local = Choice(make_engine("local"), "")
    request._engine = lambda *_: local
    inventory.free_bytes = lambda folder: None


async def draw(picture: Picture, path: Path) -> None:
    """One screen, as SVG."""
    replay = None
    if picture.moment is not None:
        replay = Replay(read_recording(Run(DEMO)), clock=lambda: 0.0)
    app = Repliquant(replay=replay, sample=False, theme=picture.theme)
    app.data.home.machine = recorded_machine(Run(DEMO))
    app.data.home.business = Business(None, "as it was recorded")
    app.data.home.look_at_machine = lambda: None  # type: ignore[method-assign]
    app.data.home.look_again_who_is_busy = lambda: None  # type: ignore[method-assign]
    async with app.run_test(size=picture.size) as pilot:
        await _settled(pilot, app)
        if replay is not None:
            app.live.seek(replay.recording.length_s * (picture.moment or 0.0))
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
    """The viewer's own monospaced font; nothing is fetched."""
    return re.sub(r"@font-face\s*{[^}]*}\s*", "", svg)


def main(folder: Path) -> None:
    """Draw them all; what is kept between starts is nobody's, and no path is this machine's."""
    folder = folder.resolve()
    _nothing_of_this_machine()
    os.chdir(DEMO.parent.parent)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["REPLIQUANT_CACHE"] = cache
        os.environ["REPLIQUANT_RUNS"] = DEMO.parent.name
        (folder / "screens").mkdir(parents=True, exist_ok=True)
        for picture in PICTURES:
            asyncio.run(draw(picture, folder / "screens" / f"{picture.name}.svg"))
        asyncio.run(draw(README, folder / "screen.svg"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
