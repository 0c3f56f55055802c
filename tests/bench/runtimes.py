"""Our latency beside each runtime's own tool: the same file, threads and kind of call, batch 1.

OpenVINO's is ``benchmark_app`` with the synchronous API and one stream, which is what the latency
hint means here (with the hint itself the tool takes no number of threads). ONNX Runtime's package
brings no tool, so it is a plain loop around ``InferenceSession.run``, as its documentation has it.
Both sides are whole processes, in turn A B B A.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import msgspec

from comparisons.intervals import median_interval
from manifests.cell import Cell
from manifests.codec import read_manifest
from manifests.paths import ROOT, cache
from manifests.run_folder import Run
from orchestrator.datasets import catalogue
from orchestrator.datasets.pack import prepare as prepare_pack
from orchestrator.environments import venvs
from orchestrator.environments.images import load_image
from orchestrator.model_files import intake
from runners.machine import usable_cpus

PAIRS = 11
SIDE, SECONDS = 32, 1
_IMAGES = {"onnxruntime": "onnxruntime-cpu", "openvino": "openvino-cpu"}
_FILES = {"onnxruntime": "model.onnx", "openvino": "model.xml"}
_NETWORK = """
import sys
from runners.models.resnet18 import initial_weights, resnet18
from runners.onnx_models.onnx_graph import onnx_model
model = onnx_model("resnet18", 10, int(sys.argv[2]), initial_weights(resnet18(10), 0))
open(sys.argv[1], "wb").write(model.SerializeToString())
"""
_LOOP = """
import statistics, sys, time
import numpy as np, onnxruntime
path, threads, side, seconds = sys.argv[1], *map(int, sys.argv[2:])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
(entry,) = session.get_inputs()
inputs = {entry.name: np.random.rand(1, 3, side, side).astype(np.float32)}
def call():
    begin = time.perf_counter()
    session.run(None, inputs)
    return time.perf_counter() - begin
end = time.perf_counter() + 0.2
while time.perf_counter() < end:
    call()
samples, end = [], time.perf_counter() + seconds
while time.perf_counter() < end:
    samples.append(call())
print(statistics.median(samples))
"""


class Case(NamedTuple):
    """A cell of a run that can be run again, and the file that it calls."""

    run: Run
    cell: Cell
    file: Path
    threads: int


def against_runtimes_own_tools() -> None:
    """Our cells, and benchmark_app and a plain loop of ONNX Runtime on the same file, batch 1."""
    with tempfile.TemporaryDirectory() as name:
        run = _measured(Path(name))
        threads = usable_cpus()
        for planned in run.plan().cells:
            cell = planned.cell
            if cell.task == "infer" and not cell.repeat:
                _compare(Case(run, cell, _file(run, cell), threads))


def _compare(case: Case) -> None:
    theirs_of: Callable[[Case], float] = (
        benchmark_app if case.cell.framework == "openvino" else plain_loop
    )
    ours, theirs = [], []
    for pair in range(PAIRS):
        for mine in (True, False) if pair % 2 else (False, True):
            if mine:
                ours.append(_our_latency_s(case))
            else:
                theirs.append(theirs_of(case))
    tool = "benchmark_app" if case.cell.framework == "openvino" else "a plain loop"
    print_with_interval(f"{case.cell.framework} {case.cell.technique} / {tool}", ours, theirs)


def print_with_interval(what: str, ours: list[float], theirs: list[float]) -> None:
    """The median of the pairs' ratios with its interval of 95 % over the pairs."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    ends = median_interval(ratios)
    told = f"95 % [{ends.low:.3f}, {ends.high:.3f}]" if ends else "no interval"
    print(
        f"  {what}: {statistics.median(ratios):.3f}, {told}, {len(ratios)} pairs "
        f"{min(ratios):.3f} to {max(ratios):.3f}; {statistics.median(ours) * 1e3:.3f} and "
        f"{statistics.median(theirs) * 1e3:.3f} ms",
        flush=True,
    )


def _measured(folder: Path) -> Run:
    """A run of ``measure`` on ResNet18 as lad2023 has it, with random weights."""
    model = folder / "resnet18.onnx"
    _python("onnxruntime", "-c", _NETWORK, str(model), str(SIDE))
    subprocess.run(
        [
            "repliquant", "measure", model, "--batch", "1", "--budget", "1s", "--engine", "local",
            "--run", folder / "run",
        ],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    return Run(folder / "run")


def _file(run: Run, cell: Cell) -> Path:
    """As it was given, or what the parent cell made of it."""
    if cell.technique == "model-file":
        return next(intake.folder_of(cell).glob("*.onnx")).resolve()
    assert cell.weights_from
    return run.cell_folder(cell.weights_from) / _FILES[cell.framework]


def _our_latency_s(case: Case) -> float:
    """Of the cell run once more, in a folder of its own."""
    cell, plan = case.cell, case.run.plan()
    assert cell.weights_from
    source = catalogue.source(plan.dataset, Path(plan.data_dir or ""), cache())
    data = prepare_pack(source, cell.image_size, cache(), lambda what, done, of: None)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cell.json").write_bytes(msgspec.json.encode(cell))
        _python(
            cell.framework, "-m", "runners", str(folder / "cell.json"), name, "--data", str(data),
            "--weights", str(case.run.cell_folder(cell.weights_from).resolve()),
            "--pretrained", str(intake.folder_of(cell).resolve()), "--threads", str(case.threads),
        )  # fmt: skip
        metric = read_manifest(folder / "manifest.json").metric("latency_s")
        assert metric is not None
        return statistics.median(one for one in metric.samples if one is not None)


def plain_loop(case: Case) -> float:
    """Seconds: the median of a loop around ``InferenceSession.run``."""
    told = _python(
        "onnxruntime", "-c", _LOOP, str(case.file), str(case.threads), str(SIDE), str(SECONDS)
    )
    return float(told.splitlines()[-1])


def benchmark_app(case: Case) -> float:
    """Seconds: the median that the tool prints."""
    told = _python(
        "openvino", str(_beside("openvino", "benchmark_app")), "-m", str(case.file), "-d", "CPU",
        "-api", "sync", "-hint", "none", "-nstreams", "1", "-infer_precision", "f32", "-nthreads",
        str(case.threads), "-t", str(SECONDS), "-shape", f"[1,3,{SIDE},{SIDE}]",
    )  # fmt: skip
    found = re.search(r"Median:\s*([\d.]+) ms", told)
    assert found is not None, told
    return float(found.group(1)) / 1e3


def _beside(framework: str, script: str) -> Path:
    return Path(venvs.interpreter(load_image(_IMAGES[framework]))).parent / script


def _python(framework: str, *arguments: str) -> str:
    """What the environment's interpreter prints; it finds this checkout's modules."""
    done = subprocess.run(
        [venvs.interpreter(load_image(_IMAGES[framework])), *arguments], cwd=ROOT, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout
