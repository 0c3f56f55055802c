"""What lower precision gives in PyTorch on this processor: ResNet-50, interleaved."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from manifests import paths
from manifests.paths import ROOT
from orchestrator.datasets import digits
from orchestrator.datasets.pack import prepare
from orchestrator.environments import venvs
from orchestrator.environments.images import load_image
from runners.machine import usable_cpus
from tests.bench.latency import print_ratio

TURNS = 4
# At 48 x 48 the deep layers hold a few pixels, and a step is mostly the weights' own traffic.
TRAINING = (128, 16)
INFERENCE = (48, 64)

_HEAD = """
import json, statistics, sys, time
from pathlib import Path
import torch
from manifests.cell import Cell
from runners.data import Data, batches
from runners.events import Emitter
from runners.protocols.rigorous import InferRecipe
from runners.job import Job
from runners.measure import measure
from runners.pytorch.parts import eager, exported
from runners.pytorch.parts.compiled import channels_last, compiled_session
from runners.pytorch.parts.models import new_model
from runners.pytorch.parts.training import Precision, autocast, step_function
from runners.training import AdamRecipe
data, folder, threads, turns, size, batch = sys.argv[1:]
cell = Cell(study="shafique2023", task="infer", framework="pytorch", technique="bench",
            model="resnet50", dataset="digits", image_size=int(size), batch_size=int(batch),
            seed=0, protocol="rigorous", tier="quick", recipe={})
job = Job(cell, Path(folder), Data(Path(data)), None, int(threads), Emitter(None))
torch.set_num_threads(job.threads)
device = torch.device("cpu")
eager.quiet()
def interleaved(*variants):
    times = [[] for _ in variants]
    for turn in range(int(turns)):
        order = list(range(len(variants)))
        for index in order if turn % 2 else order[::-1]:
            times[index].append(variants[index]())
    print(json.dumps(times))
"""
_TRAINING = (
    _HEAD
    + """
part = job.data.train(cell.batch_size, 0)
images, labels = job.data.normalise(part.images), part.labels.astype("int64")
def trainer(precision, channels_last=True):
    recipe = AdamRecipe(optimizer="adam", epochs=1, train_images=0, test_images=0,
                        learning_rate=1e-4, channels_last=channels_last)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    model = new_model(job).train().to(memory_format=layout)
    step = step_function(model, recipe, device, precision)
    step(images, labels, 1e-4)
    def timed():
        times = []
        for _ in range(3):
            begin = time.perf_counter()
            step(images, labels, 1e-4)
            times.append(time.perf_counter() - begin)
        return statistics.median(times)
    return timed
def product(dtype):
    sides = torch.randn(2, 2048, 2048).to(dtype)
    def timed():
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            sides[0] @ sides[1]
            times.append(time.perf_counter() - begin)
        return statistics.median(times)
    return timed
interleaved(trainer(Precision(), False), trainer(Precision()),
            trainer(autocast(device, torch.bfloat16)),
            product(torch.float32), product(torch.bfloat16))
"""
)
_INT8 = (
    _HEAD
    + """
model = new_model(job).eval()
observing = exported.observed(job, model)
with torch.no_grad():
    for shown in batches(job.data, job.data.calibration(64, 0), 32):
        observing(torch.from_numpy(shown.images).permute(0, 3, 1, 2))
int8 = compiled_session(job, exported.converted(observing), device)
float32 = compiled_session(job, channels_last(model, device), device)
placed = float32.place(job.data.normalise(job.data.timed(cell.batch_size)))
protocol = InferRecipe(warm_up_s=1.0, warm_up_count=3, measure_s=4.0, measure_count=5)
def timed(session):
    return lambda: statistics.median(measure(lambda: session.call(placed), protocol).samples)
interleaved(timed(float32), timed(int8))
"""
)


def bfloat16_training() -> None:
    """ResNet-50's training step, batch 16 of 128 x 128: float32 / bfloat16 AMP channels_last.

    Beside it what the processor makes of the type at best: one product of large matrices.
    """
    plain, ordered, mixed, product, mixed_product = _times(_TRAINING, *TRAINING)
    print_ratio("training step, float32 / bfloat16 channels_last", plain, mixed)
    print_ratio("training step, both channels_last", ordered, mixed)
    print_ratio("matrices of 2048 x 2048, float32 / bfloat16", product, mixed_product)


def compiled_int8() -> None:
    """ResNet-50 compiled and frozen, batch 64 of 48 x 48: float32 / PT2E int8."""
    float32, int8 = _times(_INT8, *INFERENCE)
    print_ratio("inference, compiled float32 / PT2E int8", float32, int8)


def _times(script: str, size: int, batch: int) -> list[list[float]]:
    """Seconds of each variant, one a turn."""
    data = prepare(digits.source(), size, paths.cache(), lambda what, done, of: None)
    python = venvs.interpreter(load_image("pytorch-cpu"))
    with tempfile.TemporaryDirectory() as folder:
        arguments = [data, Path(folder), usable_cpus(), TURNS, size, batch]
        done = subprocess.run(
            [python, "-c", script, *map(str, arguments)],
            cwd=ROOT, check=True, capture_output=True, text=True,
        )  # fmt: skip
    times: list[list[float]] = json.loads(done.stdout.splitlines()[-1])
    return times
