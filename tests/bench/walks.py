"""20,000 random keys, clicks and sizes over all screens, with three runs there and live ones."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from orchestrator.engines.auto import Choice
from orchestrator.running import request
from services import doctor
from tests.fakes.instant import InstantEngine
from tests.tui.conftest import RECORDED, RUN, overhear, settle
from tests.tui.walks import Walk, lay_out
from tui.app import Repliquant

KEYS = 20_000
_A_WALK = 500


def walks() -> None:
    """Whether any of them ends the app, or shows another count than the run's folder has."""
    with tempfile.TemporaryDirectory() as folder:
        _elsewhere(Path(folder))
        asyncio.run(_walk())


def _elsewhere(folder: Path) -> None:
    """Nothing of the caller's is read or written, and no process is started."""
    for variable, name in (("RUNS", "runs"), ("CACHE", "cache")):
        os.environ[f"REPLIQUANT_{variable}"] = str(folder / name)
    os.environ["HOME"] = str(folder)
    os.chdir(folder)
    shutil.copytree(RECORDED / RUN, folder / "runs" / RUN)
    lay_out(folder / "runs" / RUN)
    engine = InstantEngine()
    request._engine = lambda *_: Choice(engine, "a benchmark")
    doctor.examine = lambda brief=False: iter([doctor.Diagnosis("ok", "engine", "local")])


async def _walk() -> None:
    seen: Counter[str] = Counter()
    app = Repliquant(sample=False, theme="repliquant")
    app.animation_level = "none"
    overhear(app)
    begin = time.perf_counter()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot, app)
        for seed in range(KEYS // _A_WALK):
            walk = Walk(seed, _A_WALK)
            await walk(pilot, app)
            seen.update(walk.seen)
    took = time.perf_counter() - begin
    kinds = ", ".join(f"{name} {number}" for name, number in seen.most_common())
    print(f"  {KEYS:,} events in {took:.0f} s, no crash, each walk ends on what the disk has")
    print(f"  seen: {kinds}")
