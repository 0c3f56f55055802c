"""A job as a technique gets it, on a processor: for the twins of a GPU's paths."""

import sys
from pathlib import Path
from typing import Any

import torch

from manifests.cell import Cell
from runners.data import Data
from runners.events import Emitter
from runners.job import Job
from runners.starting_weights import Weights

CPU = torch.device("cpu")
INFER = {"warm_up_s": 0.0, "warm_up_count": 1, "measure_s": 0.0, "measure_count": 2,
         "end_to_end_share": 0.25, "test_images": 10}  # fmt: skip


def a_job(technique: str, recipe: Any = None) -> Job:
    data, weights, folder = map(Path, sys.argv[1:])
    cell = Cell(
        study="shafique2023", task="infer", framework="pytorch", technique=technique,
        model="mobilenet-v1", dataset="digits", image_size=48, batch_size=8, seed=0,
        protocol="rigorous", tier="quick", recipe=recipe or INFER, device="cpu",
        weights_from="0" * 12,
    )  # fmt: skip
    return Job(cell, folder, Data(data), Weights(weights), 1, Emitter(None))
