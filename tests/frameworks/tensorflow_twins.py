"""What cells on a GPU would do, run on a processor under TensorFlow 2.8 and a current one.

``python -m tests.frameworks.tensorflow_twins DATA FACT [ARGUMENTS]`` prints the fact as JSON;
tests/frameworks/test_tensorflow_twins.py reads it. Python 3.8 code.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from manifests.cell import Cell
from runners.data import Data
from runners.events import Emitter
from runners.job import Job

DATA = Path(sys.argv[1])
from runners.tensorflow.parts import setup  # noqa: E402,F401  before what imports TensorFlow
from runners.tensorflow.parts.finetuning import train_application  # noqa: E402

ADAM = {"optimizer": "adam", "epochs": 2, "steps": 4, "train_images": 0, "test_images": 8,
        "learning_rate": 0.0001, "keep_weights": False}  # fmt: skip


def a_job(**changes: Any) -> Job:
    fields: dict[str, Any] = {
        "study": "shafique2023", "task": "train", "framework": "tensorflow",
        "technique": "amp-float16", "model": "mobilenet-v1", "dataset": "digits",
        "image_size": 32, "batch_size": 8, "seed": 0, "protocol": "rigorous", "tier": "quick",
        "recipe": ADAM,
    }  # fmt: skip
    folder = Path(tempfile.mkdtemp())
    return Job(Cell(**{**fields, **changes}), folder, Data(DATA), None, 2, Emitter(None))


def samples(job: Job, name: str) -> list[Any]:
    return [metric.samples for metric in job.metrics if metric.name == name]


def scaled_training(model: str, protocol: str) -> dict[str, Any]:
    """Eight float16 steps: how many applied, and what was flagged."""
    job = a_job(model=model, protocol=protocol)
    train_application(job, "mixed_float16")
    return {
        "steps": len(samples(job, "train_step_s")[0]),
        "applied": samples(job, "applied_steps")[0],
        "scale": samples(job, "loss_scale")[0][-1],
        "flags": [[flag.name, flag.detail] for flag in job.flags],
        "phases": [phase.name for phase in job.phases],
        "losses": samples(job, "train_loss")[0],
    }


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[2]](*sys.argv[3:])))
