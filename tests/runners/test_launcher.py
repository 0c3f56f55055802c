"""The launcher of a cell with real processes: whatever dies, one whole manifest is left."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from manifests.series_reader import read_series
from tests.manifests.old_python import python_3_8
from tests.runners.launched import CONTEXT, LONG_S, ROOT, Launched, wait_for


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Any]:
    made: list[Launched] = []

    def start(python: str = sys.executable, **changes: Any) -> Launched:
        made.append(Launched(tmp_path / "cell", python, **changes))
        return made[-1]

    yield start
    for one in made:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one.process.pid, signal.SIGKILL)
        one.process.wait()
        for stream in (one.process.stdout, one.process.stderr):
            stream.close()  # type: ignore[union-attr]


@pytest.fixture(params=["this Python", "Python 3.8"])
def python(request: pytest.FixtureRequest) -> str:
    return sys.executable if request.param == "this Python" else python_3_8()


def test_a_cell_and_its_telemetry_in_one_manifest(launch: Any, python: str) -> None:
    cell = launch(python, interval_s=0.05)
    assert cell.ended() == 0, cell.complained
    manifest = cell.manifest()
    assert (manifest.status, manifest.sealed_by) == ("ok", "launcher")
    telemetry = manifest.telemetry
    assert telemetry is not None and telemetry.reason == ""
    assert telemetry.phases[-2:] == ["measure", "end"]
    measure = telemetry.phase("measure")
    assert measure is not None and measure.samples > 5
    assert measure.readings["cell/memory_bytes"].max > 5_000_000
    assert measure.readings["cell/processes"].max == 1
    series = cell.folder / "telemetry.jsonl"
    assert telemetry.sha256 == hashlib.sha256(series.read_bytes()).hexdigest()
    assert read_series(series).opening.cell_source == "process tree (resident memory)"
    assert not (cell.folder / "result.json").exists()


def test_what_the_cell_says_is_passed_on_and_kept(launch: Any) -> None:
    cell = launch()
    cell.ended()
    assert cell.said == (cell.folder / "events.jsonl").read_bytes()
    events = [json.loads(line) for line in cell.said.splitlines()]
    assert [event.get("name") for event in events] == ["import", "measure", None]
    assert events[-1]["event"] == "done"


@pytest.mark.parametrize(
    ("behave", "status", "reason", "transient"),
    [
        ("crash", "crashed", "ValueError: it broke", False),
        ("memory", "oom", "out of memory: no more", False),
        ("segfault", "crashed", "ended by SIGSEGV", False),
        ("killed", "crashed", "ended by SIGKILL from outside the runner", True),
        ("half", "crashed", "ended with status 9 and left no manifest", False),
    ],
)
def test_a_failure_has_its_telemetry_too(
    launch: Any, behave: str, status: str, reason: str, transient: bool
) -> None:
    cell = launch(recipe={"behave": behave})
    assert cell.ended() == 1
    manifest = cell.manifest()
    assert (manifest.status, manifest.transient) == (status, transient)
    assert manifest.reason.startswith(reason)
    assert manifest.sealed_by == "launcher"
    assert manifest.context == CONTEXT
    assert manifest.telemetry is not None and "measure" in manifest.telemetry.phases


def test_a_cell_that_is_over_before_the_first_sample(launch: Any) -> None:
    cell = launch(recipe={"seconds": 0}, interval_s=60.0)
    assert cell.ended() == 0
    telemetry = cell.manifest().telemetry
    assert telemetry is not None and telemetry.samples >= 1 and telemetry.reason == ""


def test_a_cell_that_is_frozen_with_its_sampler_is_flagged(launch: Any) -> None:
    """As a paused container is: nobody inside sees it happen."""
    cell = launch(recipe={"seconds": 4})
    cell.in_phase("measure")
    wait_for(cell.folder / "telemetry.jsonl", '"name":"measure"')
    os.killpg(cell.process.pid, signal.SIGSTOP)
    time.sleep(2.5)
    os.killpg(cell.process.pid, signal.SIGCONT)
    assert cell.ended() == 0
    (flag,) = [flag for flag in cell.manifest().flags if flag.name == "suspended"]
    assert flag.detail.startswith("measure: it was stopped in 1 of ")


def test_without_an_interval_nothing_is_sampled(launch: Any) -> None:
    cell = launch(interval_s=None)
    assert cell.ended() == 0
    assert cell.manifest().telemetry is None
    assert not (cell.folder / "telemetry.jsonl").exists()


def test_the_time_limit(launch: Any) -> None:
    cell = launch(recipe={"seconds": 60}, timeout_s=2.0)
    assert cell.ended() == 1
    manifest = cell.manifest()
    assert (manifest.status, manifest.reason) == ("timeout", "not finished within its 2 s")


def test_a_cell_that_is_only_being_started_hears_it_as_soon_as_it_can(launch: Any) -> None:
    """Its own manifest, though it was asked before it could listen."""
    cell = launch(recipe={"seconds": 60}, timeout_s=0.001)
    assert cell.ended() == 1
    manifest = cell.manifest()
    assert (manifest.status, manifest.reason) == ("timeout", "not finished within its 0.001 s")
    assert manifest.environment.python is not None


def test_a_cell_that_is_deaf_is_killed_at_its_limit(launch: Any) -> None:
    cell = launch(recipe={"seconds": 60, "behave": "deaf"}, timeout_s=2.0, grace_s=0.5)
    assert cell.ended() == 1
    manifest = cell.manifest()
    assert manifest.status == "timeout"
    assert manifest.reason == "not finished within its 2 s; it had to be killed"
    assert not manifest.transient


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_it_ends_when_it_is_asked(launch: Any, number: int) -> None:
    cell = launch(recipe={"seconds": 60})
    cell.in_phase("measure")
    stop = {"status": "cancelled", "reason": "enough"}
    (cell.folder / "stop.json").write_text(json.dumps(stop))
    cell.process.send_signal(number)
    assert cell.ended() == 1
    manifest = cell.manifest()
    assert (manifest.status, manifest.reason, manifest.transient) == ("cancelled", "enough", True)


def test_the_cell_is_killed(launch: Any) -> None:
    cell = launch(recipe={"seconds": 60})
    cell.in_phase("measure")
    cell.child("tests.fakes.runner").kill()
    assert cell.ended() == 1
    manifest = cell.manifest()
    assert manifest.reason == "ended by SIGKILL from outside the runner"
    assert manifest.telemetry is not None and manifest.telemetry.sha256 is not None


def test_the_sampler_is_killed(launch: Any) -> None:
    """What it had written is summed up all the same."""
    cell = launch(recipe={"seconds": 1.5}, interval_s=0.05)
    cell.in_phase("measure")
    wait_for(cell.folder / "telemetry.jsonl", '"name":"measure"')
    cell.child("runners.telemetry").kill()
    assert cell.ended() == 0
    telemetry = cell.manifest().telemetry
    assert telemetry is not None and telemetry.samples > 0
    assert telemetry.reason == "the sampler was killed or failed before it summed up its series"
    series = cell.folder / "telemetry.jsonl"
    assert telemetry.sha256 == hashlib.sha256(series.read_bytes()).hexdigest()


def test_a_sampler_that_hangs_holds_nothing_up_for_long(
    launch: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = launch(recipe={"seconds": 0.5}, interval_s=0.05, grace_s=1.0)
    wait_for(cell.folder / "telemetry.jsonl", '"line":"sample"')
    cell.child("runners.telemetry").suspend()
    assert cell.ended() == 0
    telemetry = cell.manifest().telemetry
    assert telemetry.reason == "the sampler did not come to its end and was killed"
    assert telemetry.samples > 0


def test_the_launcher_is_killed(launch: Any) -> None:
    """The cell ends with it and nobody seals; the sampler leaves a whole series."""
    cell = launch(recipe={"seconds": 60})
    cell.in_phase("measure")
    running, sampler = cell.child("tests.fakes.runner"), cell.child("runners.telemetry")
    wait_for(cell.folder / "telemetry.jsonl", '"name":"measure"')
    cell.process.kill()
    psutil.wait_procs([running, sampler], timeout=LONG_S)
    assert not running.is_running() or running.status() == psutil.STATUS_ZOMBIE
    assert not (cell.folder / "manifest.json").exists()
    assert read_series(cell.folder / "telemetry.jsonl").phase_at(1e9) in ("measure", "end")


def test_nobody_reads_what_it_says(launch: Any) -> None:
    cell = launch(recipe={"behave": "flood", "seconds": 0})
    cell.process.stdout.close()
    assert cell.process.wait(LONG_S) == 0
    assert cell.manifest().status == "ok"


def test_a_manifest_is_never_overwritten(launch: Any, tmp_path: Path) -> None:
    (tmp_path / "cell").mkdir()
    (tmp_path / "cell" / "manifest.json").write_text("{}")
    cell = launch()
    assert cell.ended() == 3
    assert b"manifests are never overwritten" in cell.complained
    assert (tmp_path / "cell" / "manifest.json").read_text() == "{}"


def test_an_order_that_cannot_be_used(launch: Any, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "runners.launcher", str(tmp_path)], capture_output=True, cwd=ROOT
    )
    assert done.returncode == 2 and b"order.json" in done.stderr


@pytest.mark.parametrize("trap", ["link", "pipe", "folder"])
def test_a_trap_where_events_are_kept_is_not_stepped_into(
    launch: Any, tmp_path: Path, trap: str
) -> None:
    (tmp_path / "precious").write_text("precious")
    events = tmp_path / "cell" / "events.jsonl"
    events.parent.mkdir()
    if trap == "link":
        events.symlink_to(tmp_path / "precious")
    elif trap == "pipe":
        os.mkfifo(events)
    else:
        events.mkdir()
    cell = launch()
    assert cell.ended() == 3
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (events.parent / "executed.txt").exists()


def test_what_a_cell_leaves_behind_goes_with_it(launch: Any) -> None:
    cell = launch(recipe={"behave": "leaves"})
    assert cell.ended() == 0
    orphan = int((cell.folder / "orphan.txt").read_text())
    assert not psutil.pid_exists(orphan) or psutil.Process(orphan).status() == "zombie"


def test_the_sampler_needs_neither_numpy_nor_a_framework() -> None:
    asked = "import sys, runners.telemetry, runners.launcher; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd=ROOT)
    loaded = set(done.stdout.split())
    assert "runners.telemetry" in loaded
    assert not loaded & {"numpy", "torch", "tensorflow", "psutil", "pynvml", "asyncio"}
