"""The technique amp-float16 on a processor, whose autocast knows float16 as well.

``python -m tests.frameworks.amp_twin DATA FOLDER MODEL PROTOCOL`` trains eight timed steps of two
pictures and prints what the manifest would say of them, as JSON.
"""

import json
import sys
from pathlib import Path

from manifests.cell import Cell
from runners.data import Data
from runners.events import Emitter
from runners.job import Job
from runners.pytorch import amp_float16
from runners.pytorch.parts.steps import begin

RECIPE = {"optimizer": "adam", "epochs": 1, "train_images": 16, "test_images": 16,
          "learning_rate": 1e-4, "steps": 8, "keep_weights": False}  # fmt: skip


def main() -> None:
    data, folder = map(Path, sys.argv[1:3])
    cell = Cell(
        study="shafique2023", task="train", framework="pytorch", technique="amp-float16",
        model=sys.argv[3], dataset="digits", image_size=32, batch_size=2, seed=0,
        protocol=sys.argv[4], tier="quick", recipe=RECIPE,
    )  # fmt: skip
    job = Job(cell, folder, Data(data), None, 2, Emitter(None))
    amp_float16.begin_on_gpu = begin
    amp_float16.train(job)
    metrics = {f"{metric.name} {metric.label}".strip(): metric.samples for metric in job.metrics}
    flags = {flag.name: flag.detail for flag in job.flags}
    phases = [phase.name for phase in job.phases]
    print(json.dumps({"metrics": metrics, "flags": flags, "phases": phases}))


if __name__ == "__main__":
    main()
