"""The terminal UI under load, without a terminal: what a key costs, what it costs to watch.

A key's time is from its arrival until the screen has been composed anew and written to the
driver. The load is 20,000 lines a second in the log, eight made-up GPUs at 10 Hz, and a plan
of 2,000 cells, all in the app's own process.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from textual import events

from manifests.manifest import Gpu
from manifests.plan import PlannedCell
from manifests.run_folder import Run
from manifests.telemetry_series import GpuSample, HostSample, Opening, Sample
from orchestrator.messages import CellStarted, RunStarted
from tests.bench import reading
from tests.tui.conftest import RECORDED, RUN, settle
from tui.app import Repliquant
from tui.views.machine import Trace
from tui.widgets.rows import Rows

_KEYS = 300
_LINES_PER_S = 20_000
_GPUS = 8
_PATIENCE_S = 60.0


def screen() -> None:
    """Start, keys under load, 10,000 manifests, an hour's replay."""
    first_screen()
    asyncio.run(_keys_under_load())
    results()
    asyncio.run(_hour_of_replay())


def first_screen() -> None:
    """From the process' start until the first screen has been drawn."""
    program = (
        "import sys, os; sys.argv = ['repliquant', 'tui'];"
        "from tui.app import Repliquant as R;"
        "a = R(sample=False); a._begin = lambda: a.exit('');"
        "import asyncio; asyncio.run(a.run_async(headless=True))"
    )
    times = []
    for _ in range(7):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - begin)
    print(f"  process to first screen (and its end): {statistics.median(times):.2f} s")


async def _keys_under_load() -> None:

    with tempfile.TemporaryDirectory() as folder:
        os.environ["REPLIQUANT_RUNS"] = folder
        app = Repliquant(sample=False)
        async with app.run_test(size=(120, 40)) as pilot:
            await settle(pilot, app)
            planned = _many(app.data.prepared.chosen if app.data.prepared else [])
            run = Run(Path(folder) / "loaded")
            run.cell_folder(planned[0].id).mkdir(parents=True)
            app.live.run = run
            inbox = app.live.queue.inbox
            inbox.put(RunStarted(planned, 0))
            inbox.put(CellStarted(planned[0], ""))
            over = threading.Event()
            load = [threading.Thread(target=_samples, args=(app.live.trace, over))]
            log = run.cell_folder(planned[0].id) / "log.txt"
            writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(log)])
            for thread in load:
                thread.start()
            await pilot.press("3", "right_square_bracket")
            cpu, begin = time.process_time(), time.perf_counter()
            times = [await _key(app, key) for key in ("down", "down", "up") * (_KEYS // 3)]
            wall = time.perf_counter() - begin
            share = (time.process_time() - cpu) / wall
            over.set()
            writer.kill()
            writer.wait()
            for thread in load:
                thread.join()
    times.sort()
    p99 = times[int(len(times) * 0.99)]
    rate = len(times) / wall
    print(
        f"  key to repaint under load, p50 {statistics.median(times) * 1e3:.0f} ms, "
        f"p99 {p99 * 1e3:.0f} ms; {share:.0%} of a core at {rate:.0f} keys/s"
    )


_WRITER = f"""
import sys, time
with open(sys.argv[1], "a") as file:
    while True:
        file.writelines("step %d of a log that nobody can read\\n" % n for n in range(200))
        file.flush()
        time.sleep({200 / _LINES_PER_S})
"""


async def _key(app: Repliquant, key: str) -> float:
    """Seconds from a key's arrival until the rows it moves have been written to the driver."""
    rows = app.screen.query(Rows).first()
    before, drawn = rows.cursor, asyncio.Event()
    display = app._display

    def watch(screen: Any, renderable: Any) -> None:
        display(screen, renderable)
        if rows.cursor != before:
            drawn.set()

    app._display = watch  # type: ignore[method-assign]
    begin = time.perf_counter()
    app.post_message(events.Key(key, None))
    await asyncio.wait_for(drawn.wait(), 10)
    took = time.perf_counter() - begin
    app._display = display  # type: ignore[method-assign]
    await asyncio.sleep(0.05)
    return took


def _many(chosen: list[PlannedCell]) -> list[PlannedCell]:
    """2,000 cells, as many seeds as that takes."""
    made = []
    for seed in range(2000 // max(1, len(chosen)) + 1):
        for planned in chosen:
            cell = msgspec.structs.replace(planned.cell, seed=seed)
            made.append(msgspec.structs.replace(planned, id=cell.id, cell=cell))
    return made[:2000]


def _samples(trace: Trace, over: threading.Event) -> None:
    """Made-up readings of eight GPUs, ten a second."""
    trace.opening = Opening(
        started_at="", interval_s=0.1, made_up="for a benchmark", memory_bytes=2**38,
        gpus={index: Gpu(name="made up", memory_bytes=80 * 2**30) for index in range(_GPUS)},
    )  # fmt: skip
    time_s = 0.0
    while not over.wait(0.1):
        time_s += 0.1
        gpus = [
            GpuSample(index=index, utilization_percent=time_s * 7 % 100, power_w=300.0)
            for index in range(_GPUS)
        ]
        host = HostSample(cpu_percent=50.0, memory_used_bytes=2**34)
        trace.add(Sample(time_s=time_s, host=host, gpus=gpus))


def results() -> None:
    """10,000 copies of real manifests, in a process of its own: until they are on screen 4."""
    os.environ["REPLIQUANT_RUNS"] = str(RECORDED)
    with tempfile.TemporaryDirectory() as folder:
        run = reading.many_manifests(Path(folder), 10_000)
        subprocess.run([sys.executable, "-m", "tests.bench.screen", str(run)], check=True)


async def _results(run: Path) -> None:
    """Of a large run the cells come first, before tables are made of them."""
    app = Repliquant(sample=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot, app)
        begin = time.perf_counter()
        app.data.show_run(run)
        await pilot.press("4")
        await _until(lambda: app.data.results is not None, "the results")
        await _until(lambda: app.screen.query_one("#rows", Rows).count == 10_000, "10,000 rows")
        await pilot.pause()
        usable = time.perf_counter() - begin
        times = [await _key(app, "pagedown") for _ in range(100)]
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  10,000 manifests: usable after {usable:.2f} s, a page p99 "
          f"{sorted(times)[98] * 1e3:.0f} ms, largest {largest:.0f} MiB")  # fmt: skip


async def _until(there: Callable[[], bool], what: str) -> None:
    """What doesn't come within a minute doesn't come."""
    end = time.monotonic() + _PATIENCE_S
    while not there():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {_PATIENCE_S:.0f} s")
        await asyncio.sleep(0.01)


async def _hour_of_replay() -> None:
    """An hour at 100x is 36 s; the recording is played again and again."""
    from tui.recording import read_recording
    from tui.replay import Replay

    replay = Replay(read_recording(Run(RECORDED / RUN)), 100.0)
    app = Repliquant(replay=replay)
    async with app.run_test(size=(120, 40)) as pilot:
        begin = time.monotonic()
        before = 0
        while time.monotonic() - begin < 36:
            await pilot.pause(0.5)
            before = before or _resident()
            if replay.ended:
                app.live.seek(0.0)
    grown = (_resident() - before) / 2**20
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"  an hour of replay at 100x: {grown:+.0f} MiB; largest {largest:.0f} MiB")


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    asyncio.run(_results(Path(sys.argv[1])))
