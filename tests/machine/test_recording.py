"""Cells in real processes, recorded: the series beside the manifest and its summary in it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pynvml
import pytest

from machine import seal
from machine.cell_readers import ProcessTree
from machine.gpus import NvmlGpus
from machine.nvml import Nvml
from machine.recorder import Record, Recorder
from machine.sampler import Sampler
from manifests.codec import encode_manifest
from manifests.event import Phase
from manifests.event_stream import EventStream
from manifests.manifest import (
    CodeVersion,
    Context,
    Environment,
    Gpu,
    ImageUsed,
    Machine,
    Manifest,
    Metric,
)
from manifests.order import CellOrder
from manifests.series_reader import read_series
from manifests.telemetry_series import GpuSample
from manifests.telemetry_summary import Reading, Telemetry
from orchestrator.running.attempt import write_inputs
from tests.conftest import ROOT, Workshop
from tests.fakes.nvml import FakeGpu, FakeNvml
from tests.fakes.studies import write_study
from tests.manifests.samples import a_cell, a_manifest
from tests.orchestrator.reading import manifests, the_run

Change = Callable[[FakeNvml, int], None]
CONTEXT = Context(
    engine="fake",
    image=ImageUsed(name="alpha", kind="given"),
    kit=CodeVersion(version="0"),
    run="r",
)


def attempted(
    folder: Path,
    library: FakeNvml,
    monkeypatch: pytest.MonkeyPatch,
    on_work: Change = lambda library, pid: None,
    behave: str = "ok",
    gpus: tuple[int, ...] = (0,),
    seconds: float = 0.6,
) -> Manifest:
    """A cell in a real process that works for a time; ``on_work`` is called when it begins to."""
    monkeypatch.setenv("FAKE_LOG", str(folder / "executed.txt"))
    cell = a_cell(device="gpu", recipe={"behave": behave, "seconds": seconds, "phase": "measure"})
    where = folder / "cell"
    write_inputs(where, CellOrder(cell=cell, context=CONTEXT))
    source = Sampler(gpus=NvmlGpus(Nvml(library)), interval_s=0.05)
    source.start()
    _ = source.opening
    command = [sys.executable, "-m", "tests.fakes.runner", "cell.json", ".", "--context",
               "context.json", "--result", seal.RESULT]  # fmt: skip
    recorder, stream = Recorder(source, where, cell.id, gpus), EventStream()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=where, stdout=subprocess.PIPE, bufsize=0, env=environment
    ) as process:
        assert process.stdout is not None
        recorder.begin(ProcessTree(process.pid))
        while chunk := process.stdout.read(4096):
            for received in stream.feed(chunk):
                recorder.heard(received.event)
                if isinstance(received.event, Phase) and received.event.name == "measure":
                    on_work(library, process.pid)
    record = recorder.finish()
    source.stop()
    verdict = seal.judge(seal.End(process.returncode, max(0, -process.returncode)), "")
    left = seal.left(where) or seal.concluded(cell, CONTEXT, verdict, "t", 0.6)
    return seal.joined(left, record)


def told(manifest: Manifest) -> Telemetry:
    assert manifest.telemetry is not None
    return manifest.telemetry


def test_a_cell_on_a_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def compute(library: FakeNvml, pid: int) -> None:
        library.gpus[0].processes = [(1, 5), (pid, 6)]

    library = FakeNvml(FakeGpu(reasons=0x4), FakeGpu(name="Other"))
    manifest = attempted(tmp_path, library, monkeypatch, compute, seconds=1.2)
    telemetry = told(manifest)
    assert manifest.status == "ok"
    assert telemetry.phases == ["start", "import", "measure", "end"]
    measure = telemetry.phase("measure")
    assert measure is not None
    assert measure.readings["gpus/0/power_w"] == Reading(125.0, 125.0)
    assert "gpus/1/power_w" not in measure.readings
    assert measure.throttle_share == {"gpus/0": 1.0}
    assert 0.5 < measure.seconds < 10
    assert measure.samples > 5
    assert measure.readings["cell/memory_bytes"].max > 5_000_000
    assert measure.energy["gpus/0"].method == "counter-difference"
    flags = {flag.name: flag.detail for flag in manifest.flags}
    assert flags["gpu-throttled"].startswith("measure: GPU 0 was held down in 100% of the")
    assert flags["foreign-gpu-process"] == ("measure: others computed on GPU 0 (process ids 1)")
    about = {flag.name: flag.metrics for flag in manifest.flags}
    assert about["gpu-throttled"] == ["latency_s", "throughput_items_per_s", "energy_j"]
    energy = manifest.metric("energy_j", "measure")
    assert energy is not None and energy.samples == [0.0]  # its counter stood still
    memory = manifest.metric("peak_memory_bytes", "GPU 0")
    assert memory is not None and memory.samples == [3 * 2**30]
    machine = manifest.environment.machine
    assert machine is not None
    assert [gpu.name for gpu in machine.gpus] == ["Fake RTX 4000", "Other"]
    assert (machine.gpus[0].driver, machine.gpus[0].power_limit_w) == ("570.86.10", 160.0)


def test_the_series_lies_beside_the_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry = told(attempted(tmp_path, FakeNvml(FakeGpu()), monkeypatch))
    path = tmp_path / "cell" / telemetry.path
    assert telemetry.path == "telemetry.jsonl"
    assert telemetry.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    series = read_series(path)
    assert len(series.samples) == telemetry.samples
    assert series.warnings == []
    assert [mark.name for mark in series.phases] == ["import", "measure", "end"]
    assert series.opening.gpus[0].name == "Fake RTX 4000"
    assert series.opening.cell_source == "process tree (resident memory)"
    assert not series.made_up
    began = series.runner_began_s
    assert began is not None and 0 < began < 30
    for mark in series.phases:
        assert mark.runner_s is not None
        assert mark.time_s - mark.runner_s == pytest.approx(began, abs=0.2)


def test_a_gpu_that_is_lost_while_it_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(library: FakeNvml, pid: int) -> None:
        library.faults["*"] = pynvml.NVML_ERROR_GPU_IS_LOST

    manifest = attempted(tmp_path, FakeNvml(FakeGpu()), monkeypatch, lose)
    telemetry = told(manifest)
    assert manifest.status == "ok"
    assert telemetry.reasons["gpus/0"] == "NVML: GPU is lost"
    energy = manifest.metric("energy_j", "measure")
    assert energy is not None and energy.samples == [None]
    assert energy.reason.startswith("its counter could not be read all the time")
    last = read_series(tmp_path / "cell" / "telemetry.jsonl").samples[-1]
    assert last.gpus == [GpuSample(index=0)]
    assert last.reasons["gpus/0"] == "NVML: GPU is lost"


def test_a_driver_that_vanishes_while_it_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(library: FakeNvml, pid: int) -> None:
        library.faults["*"] = library.faults["nvmlInit"] = pynvml.NVML_ERROR_DRIVER_NOT_LOADED

    manifest = attempted(tmp_path, FakeNvml(FakeGpu()), monkeypatch, vanish)
    assert manifest.status == "ok"
    assert told(manifest).reasons["gpus"] == "NVML: Driver Not Loaded"


@pytest.mark.parametrize(
    ("behave", "status"), [("crash", "crashed"), ("segfault", "crashed"), ("memory", "oom")]
)
def test_a_cell_that_fails_is_recorded_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, behave: str, status: str
) -> None:
    manifest = attempted(tmp_path, FakeNvml(FakeGpu()), monkeypatch, behave=behave)
    assert manifest.status == status
    assert "measure" in told(manifest).phases
    assert read_series(tmp_path / "cell" / "telemetry.jsonl").samples


def test_a_cell_that_takes_the_place_of_its_series_does_no_harm(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def put_something_else(_: FakeNvml, pid: int) -> None:
        path = tmp_path / "cell" / "telemetry.jsonl"
        path.unlink(missing_ok=True)
        path.write_text("better numbers")

    telemetry = told(attempted(tmp_path, FakeNvml(FakeGpu()), monkeypatch, put_something_else))
    assert telemetry.sha256 is None
    assert telemetry.reason.startswith("telemetry.jsonl can't be used: somebody put something")
    assert telemetry.phase("measure") is not None


def test_joining_changes_only_what_the_sampler_knows() -> None:
    manifest = a_manifest()
    record = Record(Telemetry(path="telemetry.jsonl", samples=3), [], [], [Gpu(name="A")])
    whole = seal.joined(manifest, record)
    assert msgspec.structs.replace(whole, telemetry=None) == manifest
    assert whole.telemetry == record.telemetry
    assert seal.joined(manifest, None) is manifest
    machine = Machine(
        system="Linux", architecture="x86_64", cpu=None, cpus=2, instruction_sets=[],
        memory_bytes=None, gpus=[Gpu(name="of the kernel")],
    )  # fmt: skip
    environment = msgspec.structs.replace(manifest.environment, machine=machine)
    known = msgspec.structs.replace(manifest, environment=environment)
    found = seal.joined(known, record).environment.machine
    assert found is not None and found.gpus == [Gpu(name="A")]
    nothing = seal.joined(known, record._replace(gpus=[])).environment.machine
    assert nothing == machine


def test_what_is_more_than_the_machine_has_is_flagged_once_that_is_known() -> None:
    """The cell itself knows only the name of its GPU."""
    machine = Machine(
        system="Linux", architecture="x86_64", cpu=None, cpus=2, instruction_sets=[],
        memory_bytes=None, gpus=[Gpu(name="A")],
    )  # fmt: skip
    held = Metric(name="peak_memory_bytes", unit="bytes", samples=[2**34], label="allocator")
    manifest = a_manifest(metrics=[held], environment=Environment(machine=machine))
    gpu = Gpu(name="A", memory_bytes=2**33)
    whole = seal.joined(manifest, Record(Telemetry(path="", samples=0), [], [], [gpu]))
    assert [flag.name for flag in whole.flags] == ["impossible-value"]
    assert (
        seal.joined(whole, Record(Telemetry(path="", samples=0), [], [], [])).flags == whole.flags
    )


def test_a_whole_run_through_the_command_line(workshop: Workshop) -> None:
    write_study(workshop.folder, seconds=0.5)
    workshop.run("-k", "alpha and batch_size=1")
    found = list(manifests(workshop).values())
    assert len(found) == 2
    for manifest in found:
        telemetry = told(manifest)
        folder = the_run(workshop).cell_folder(manifest.id)
        data = (folder / "telemetry.jsonl").read_bytes()
        assert telemetry.sha256 == hashlib.sha256(data).hexdigest()
        assert telemetry.phases == ["start", "import", "work", "end"]
        work = telemetry.phase("work")
        assert work is not None and work.samples >= 1
        assert work.readings["host/memory_used_bytes"].max > 0
        assert telemetry.reason == ""
        assert encode_manifest(manifest) == (folder / "manifest.json").read_bytes()
    child = next(m for m in found if m.cell.weights_from)
    parent = the_run(workshop).manifest_path(child.cell.weights_from or "")
    sha256 = hashlib.sha256(parent.read_bytes()).hexdigest()
    assert child.inputs.weights_manifest_sha256 == sha256


def test_a_skipped_cell_has_no_telemetry(workshop: Workshop) -> None:
    write_study(workshop.folder, image="broken")
    workshop.run("-k", "alpha", status=3)
    assert [m.telemetry for m in manifests(workshop).values()] == [None] * 3
