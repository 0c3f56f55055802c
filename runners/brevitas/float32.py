"""The same topology in float32: BatchNorm and ReLU where the binary networks have a sign.

shafique2023, section 6.4 names the toolchain (BNN-PYNQ). Timed region: every optimizer step and
every epoch (training); ``model(batch)`` in eager mode with the batch in place (inference).
"""

from __future__ import annotations

from runners.brevitas.parts.steps import time_network
from runners.brevitas.parts.training import train_network
from runners.job import Job


def train(job: Job) -> None:
    train_network(job, "float32")


def infer(job: Job) -> None:
    time_network(job)
