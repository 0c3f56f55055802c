"""What sampling takes from the processor: this host and eight synthetic GPUs, at 5 Hz."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from machine.cell_readers import ProcessTree
from machine.gpus import NvmlGpus
from machine.nvml import Nvml
from machine.recorder import Recorder
from machine.sampler import Sampler
from manifests.event import Phase
from tests.fakes.nvml import FakeGpu, FakeNvml

WINDOW_S = 10.0
WINDOWS = 6


def sampling() -> None:
    """Sampling, recording and summing up; the GPUs' readings are synthetic, the host's are not."""
    with tempfile.TemporaryDirectory() as name:
        library = FakeNvml(*(FakeGpu() for _ in range(8)))
        sampler = Sampler(gpus=NvmlGpus(Nvml(library)))
        recorder = Recorder(sampler, Path(name), "bench", range(8))
        sampler.start()
        recorder.begin(ProcessTree(os.getpid()))
        recorder.heard(Phase(time_s=0.0, name="measure"))
        children, shares = len(psutil.Process().children()), []
        for _ in range(WINDOWS):
            shares.append(_share())
        started = len(psutil.Process().children()) - children
        record = recorder.finish()
        sampler.stop()
        size = (Path(name) / record.telemetry.path).stat().st_size
    seconds = WINDOW_S * WINDOWS
    singles = ", ".join(f"{share:.2%}" for share in shares)
    print(f"  {statistics.median(shares):.2%} of a core (windows of {WINDOW_S:g} s: {singles})")
    print(
        f"  {record.telemetry.samples / seconds:.2f} samples a second, {size / seconds / 1e3:.1f} "
        f"kB/s into the file, {started} processes started"
    )


def _share() -> float:
    """Of one core, of this whole process, in one window."""
    before, begin = time.process_time(), time.monotonic()
    time.sleep(WINDOW_S)
    return (time.process_time() - before) / (time.monotonic() - begin)
