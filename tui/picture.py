"""``python -m tui.picture FILE``: the README's picture, drawn from the demo's recording."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from manifests.run_folder import Run
from tui.app import Repliquant
from tui.recording import read_recording
from tui.replay import Replay

DEMO = Path(__file__).parent / "demo" / "lad2023-quick-digits"
_SIZE = (104, 28)
_MOMENT = 0.42
_TRIES = 50


async def draw(path: Path) -> None:
    """The Run screen in the middle of the recorded training, as SVG."""
    replay = Replay(read_recording(Run(DEMO)), clock=lambda: 0.0)
    app = Repliquant(replay=replay, theme="repliquant")
    async with app.run_test(size=_SIZE) as pilot:
        await pilot.pause(0.5)
        app.live.seek(replay.recording.length_s * _MOMENT)
        for _ in range(_TRIES):
            await pilot.pause(0.1)
            if app.live.trace.latest is not None:
                break
        await pilot.press("right_square_bracket")
        await pilot.pause(0.5)
        path.write_text(_without_fonts(app.export_screenshot(title="repliquant replay")))


def _without_fonts(svg: str) -> str:
    """The viewer's own monospaced font; nothing is fetched."""
    return re.sub(r"@font-face\s*{[^}]*}\s*", "", svg)


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1])))
