"""The sampling thread, and what reaches those who listen."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pynvml
import pytest

from machine import sampler as sampling_module
from machine.cell_readers import ProcessTree
from machine.gpus import NvmlGpus
from machine.nvml import Nvml
from machine.sampler import Sampler, only
from manifests.telemetry_series import GpuProcess, GpuSample, Sample
from tests.fakes.clock import Clock
from tests.fakes.nvml import FakeGpu, FakeNvml
from tests.machine.processes import Unreadable, own_processes


def sampler(library: FakeNvml, clock: Clock | None = None) -> Sampler:
    return Sampler(gpus=NvmlGpus(Nvml(library)), clock=clock or time.monotonic)


def ticked(source: Sampler) -> Sample:
    heard: list[Sample] = []
    leave = source.subscribe(heard.append)
    source.tick()
    leave()
    return heard[-1]


def test_a_sample_has_everything_at_its_time() -> None:
    clock = Clock(500.0)
    source = sampler(FakeNvml(FakeGpu(), FakeGpu()), clock)
    leave = source.watch("abc", ProcessTree(os.getpid()))
    clock.now_s = 501.25
    sample = ticked(source)
    assert sample.time_s == 1.25
    assert [gpu.index for gpu in sample.gpus] == [0, 1]
    assert sample.gpu(1) == sample.gpus[1] and sample.gpu(2) is None
    assert sample.host.memory_used_bytes is not None
    assert sample.cells["abc"].processes == own_processes()
    leave()
    leave()
    assert ticked(source).cells == {}


def test_the_opening_describes_the_machine() -> None:
    opening = sampler(FakeNvml(FakeGpu())).opening
    assert opening.cpus == os.cpu_count()
    assert opening.gpus[0].name == "Fake RTX 4000"
    assert (opening.interval_s, opening.made_up) == (0.2, "")


def test_processes_are_listed_rarely_and_when_a_phase_begins() -> None:
    clock = Clock()
    own, other = os.getpid(), 1
    source = sampler(FakeNvml(FakeGpu(processes=[(own, 5), (other, 6)])), clock)
    _ = source.opening
    source.watch("abc", ProcessTree(own))
    found = []
    for _ in range(60):
        clock.now_s += 0.25
        found.append(ticked(source).gpus[0].processes)
    listed = [(number + 1) / 4 for number, found_ in enumerate(found) if found_]
    assert listed == [0.25, 5.25, 10.25]
    assert found[0] == [
        GpuProcess(pid=own, memory_bytes=5, own=True),
        GpuProcess(pid=other, memory_bytes=6, own=False),
    ]  # fmt: skip
    source.list_processes()
    assert ticked(source).gpus[0].processes is not None
    source.watch("somewhere", Unreadable("not here"))
    listed_now = ticked(source).gpus[0].processes
    assert listed_now is not None
    assert [process.own for process in listed_now] == [True, None]


def test_a_driver_that_vanishes_in_the_middle_ends_nothing() -> None:
    library = FakeNvml(FakeGpu())
    source = sampler(library)
    assert ticked(source).gpus[0].power_w == 125.0
    library.faults["*"] = library.faults["nvmlInit"] = pynvml.NVML_ERROR_UNINITIALIZED
    sample = ticked(source)
    assert sample.gpus == [GpuSample(index=0)]
    assert sample.reasons["gpus"] == "NVML: Uninitialized"
    assert sample.host.memory_used_bytes is not None


def test_the_thread_keeps_its_pace_and_ends() -> None:
    source = Sampler(gpus=NvmlGpus(Nvml(FakeNvml(FakeGpu()))), interval_s=0.05)
    times: list[float] = []
    enough = threading.Event()

    def hear(sample: Sample) -> None:
        times.append(sample.time_s)
        if len(times) == 20:
            enough.set()

    source.subscribe(hear)
    source.start()
    source.start()
    assert [t.name for t in threading.enumerate()].count("telemetry") == 1
    assert enough.wait(60)
    source.stop()
    assert "telemetry" not in {thread.name for thread in threading.enumerate()}
    assert times == sorted(times)
    assert times[19] - times[0] > 0.7  # it never hurries to catch up
    before = len(times)
    time.sleep(0.15)
    assert len(times) == before


def test_nothing_is_read_while_nobody_listens() -> None:
    library = FakeNvml(FakeGpu())
    source = Sampler(gpus=NvmlGpus(Nvml(library)), interval_s=0.01)
    source.start()
    time.sleep(0.1)
    assert "nvmlDeviceGetPowerUsage" not in library.calls
    source.stop()


def test_a_driver_that_hangs_holds_up_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling_module, "PATIENCE_S", 0.2)
    library = FakeNvml(FakeGpu())
    source = sampler(library)
    _ = source.opening
    hangs, goes_on = threading.Event(), threading.Event()

    def hang(fake: FakeNvml, gpu: FakeGpu) -> int:
        hangs.set()
        goes_on.wait(30)
        return 1

    monkeypatch.setattr(FakeNvml, "_nvmlDeviceGetPowerUsage", hang)
    source.subscribe(lambda sample: None)
    source.start()
    assert hangs.wait(30)
    begin = time.monotonic()
    source.tick()
    source.watch("abc", Unreadable("not here"))()
    source.stop()
    assert time.monotonic() - begin < 10
    goes_on.set()


def test_no_process_is_started_for_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    for name in ("fork", "posix_spawn", "system", "popen"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr("subprocess.Popen.__init__", refuse)
    monkeypatch.setattr("_posixsubprocess.fork_exec", refuse)
    source = Sampler()
    source.watch("abc", ProcessTree(os.getpid()))
    for _ in range(3):
        sample = ticked(source)
    assert sample.cells["abc"].processes == own_processes()


def test_a_cell_gets_only_what_concerns_it(tmp_path: Path) -> None:
    clock = Clock()
    library = FakeNvml(FakeGpu(), FakeGpu())
    library.faults["nvmlDeviceGetPowerUsage"] = pynvml.NVML_ERROR_NOT_SUPPORTED
    source = sampler(library, clock)
    source.watch("a", Unreadable("not here"))
    source.watch("b", Unreadable("not there"))
    clock.now_s = 7.0
    sample = ticked(source)
    found = only(sample, frozenset({1}), "b", 5.5)
    assert found.time_s == 1.5
    assert [gpu.index for gpu in found.gpus] == [1]
    assert list(found.cells) == ["b"]
    reasons = {key: why for key, why in found.reasons.items() if not key.startswith("host/")}
    assert reasons == {"gpus/1/power_w": "NVML: Not Supported", "cells/b": "not there"}
    on_cpu = only(sample, frozenset(), "a", 0.0)
    assert on_cpu.gpus == []
    assert not any(key.startswith("gpus") for key in on_cpu.reasons)
