"""Our latencies beside those of the frameworks' own benchmark tools, on the same artifacts."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from pathlib import Path

import msgspec

from manifests.cell import Cell
from manifests.codec import read_manifest
from manifests.manifest import Manifest
from manifests.paths import ROOT
from manifests.run_folder import Run
from orchestrator.environments import venvs
from orchestrator.environments.images import load_image
from runners.machine import usable_cpus
from services.runs import latest_run

TURNS = 4
_TORCH = """
import json, statistics, sys, torch
from pathlib import Path
from torch.utils.benchmark import Timer
from manifests.cell import Cell
from manifests.codec import read_struct
from runners.data import Data
from runners.events import Emitter
from runners.protocols.rigorous import InferRecipe
from runners.job import Job
from runners.starting_weights import Weights
from runners.measure import measure
from runners.pytorch.parts import eager
from runners.pytorch.parts.models import trained_model
from runners.pytorch.parts.sessions import session
cell_file, data, weights, threads, turns = sys.argv[1:]
cell = read_struct(Path(cell_file), Cell)
job = Job(cell, Path("."), Data(Path(data)), Weights(Path(weights)), int(threads), Emitter(None))
torch.set_num_threads(job.threads)
floats = cell.technique == "float32"
model = trained_model(job) if floats else eager.converted_model(job)
ready = session(model, torch.device("cpu"))
placed = ready.place(job.data.normalise(job.data.timed(cell.batch_size)))
protocol = InferRecipe(warm_up_s=0.5, warm_up_count=3, measure_s=2.0, measure_count=5)
timer = Timer("call(x)", globals={"call": ready.call, "x": placed}, num_threads=job.threads)
def ours(): return statistics.median(measure(lambda: ready.call(placed), protocol).samples)
def theirs(): return timer.blocked_autorange(min_run_time=2.0).median
a, b = [], []
for turn in range(int(turns)):
    for which in ((a, ours), (b, theirs)) if turn % 2 else ((b, theirs), (a, ours)):
        which[0].append(which[1]())
print(json.dumps({"ours": a, "theirs": b}))
"""


def against_litert_benchmark() -> None:
    """Whole runs of our cell and of litert-benchmark on the same .tflite file, batch 1."""
    run = latest_run("lad2023")
    for technique in ("tflite-float32", "ptq-tflite"):
        cell = _of_file(run, _cell(run, "tensorflow", technique, 1))
        ours, theirs = [], []
        for turn in range(TURNS):
            for mine in (True, False) if turn % 2 else (False, True):
                if mine:
                    ours.append(_median(_run_cell(run, cell)))
                else:
                    theirs.append(_litert_benchmark(run, cell))
        print_ratio(f"{technique} batch 1, ours / litert-benchmark", ours, theirs)


def against_torch_benchmark() -> None:
    """Our measuring and torch.utils.benchmark on the same model in the same process."""
    run = latest_run("lad2023")
    image = load_image("pytorch-cpu")
    for technique, batch in (("float32", 1), ("ptq-eager", 1), ("ptq-eager", 128)):
        cell = _cell(run, "pytorch", technique, batch)
        assert cell.weights_from
        done = subprocess.run(
            [
                venvs.interpreter(image), "-c", _TORCH, run.cell_folder(cell.id) / "cell.json",
                _data(run, cell.image_size), run.cell_folder(cell.weights_from),
                str(usable_cpus()), str(TURNS),
            ],
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
        found = json.loads(done.stdout.splitlines()[-1])
        print_ratio(
            f"{technique} batch {batch}, ours / torch.utils.benchmark",
            found["ours"],
            found["theirs"],
        )


def int8_against_float32() -> None:
    """PyTorch's eager int8 beside its float32, same call path, processes interleaved."""
    run = latest_run("lad2023")
    for batch in (1, 128):
        times: dict[str, list[float]] = {"float32": [], "ptq-eager": []}
        for turn in range(4):
            for technique in list(times) if turn % 2 else list(times)[::-1]:
                cell = _cell(run, "pytorch", technique, batch)
                times[technique].append(_median(_run_cell(run, cell)))
        print_ratio(f"batch {batch}, float32 / int8", times["float32"], times["ptq-eager"])


def print_ratio(what: str, first: list[float], second: list[float]) -> None:
    pairs = [a / b for a, b in zip(first, second, strict=True)]
    print(
        f"  {what}: {statistics.median(pairs):.3f} (pairs {min(pairs):.3f} to {max(pairs):.3f}; "
        f"{statistics.median(first) * 1e3:.2f} and {statistics.median(second) * 1e3:.2f} ms)",
        flush=True,
    )


def _cell(run: Run, framework: str, technique: str, batch: int) -> Cell:
    return next(
        item.cell
        for item in run.plan().cells
        if (item.cell.framework, item.cell.technique, item.cell.batch_size, item.cell.task)
        == (framework, technique, batch, "infer")
    )


def _of_file(run: Run, cell: Cell) -> Cell:
    """The cell on images of the size that its file is for."""
    parent = run.plan().find(cell.weights_from or "")
    assert parent is not None
    return msgspec.structs.replace(cell, image_size=parent.cell.image_size)


def _run_cell(run: Run, cell: Cell) -> Manifest:
    """The cell once more, in a folder of its own."""
    image = load_image("pytorch-cpu" if cell.framework == "pytorch" else "tensorflow-cpu")
    assert cell.weights_from
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "cell.json").write_bytes(msgspec.json.encode(cell))
        subprocess.run(
            [
                venvs.interpreter(image), "-m", "runners", folder / "cell.json", folder,
                "--data", _data(run, cell.image_size),
                "--weights", run.cell_folder(cell.weights_from).resolve(),
            ],
            cwd=ROOT, check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        return read_manifest(folder / "manifest.json")


def _litert_benchmark(run: Run, cell: Cell) -> float:
    """Seconds: the median that the tool reports."""
    image = load_image("tensorflow-cpu")
    assert cell.weights_from
    model = run.cell_folder(cell.weights_from) / "model.tflite"
    with tempfile.NamedTemporaryFile(suffix=".json") as result:
        subprocess.run(
            [
                venvs.interpreter(image), "-m", "ai_edge_litert.tools.benchmark_litert_model",
                "--model", model, "--num_threads", str(usable_cpus()), "--num_runs", "300",
                "--warmup_runs", "100", "--result_json", result.name,
            ],
            check=True, capture_output=True, env={**os.environ, "PYTHONPATH": ""},
        )  # fmt: skip
        return float(json.loads(Path(result.name).read_text())["latency"]["median_ms"]) / 1e3


def _median(manifest: Manifest) -> float:
    metric = manifest.metric("latency_s")
    assert metric is not None
    return statistics.median(sample for sample in metric.samples if sample is not None)


def _data(run: Run, image_size: int) -> Path:
    """The pack that the run used, at that size."""
    from manifests import paths
    from orchestrator.datasets import catalogue
    from orchestrator.datasets.pack import prepare

    plan = run.plan()
    folder = Path(plan.data_dir) if plan.data_dir else None
    source = catalogue.source(plan.dataset, folder, paths.cache())
    return prepare(source, image_size, paths.cache(), lambda what, done, of: None)
