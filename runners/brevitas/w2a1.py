"""Ternary weights (-1, 0 and 1, which take 2 bits), activations of one bit; else as w1a1.

Trained by Brevitas, exported to QONNX, executed by qonnx. Timed region: every optimizer step and
every epoch (training, which computes in float32); writing the QONNX file (quantize).
"""

from __future__ import annotations

from runners.brevitas.parts.steps import export_network, untimed
from runners.brevitas.parts.training import train_network
from runners.job import Job


def train(job: Job) -> None:
    train_network(job, "w2a1")


def quantize(job: Job) -> None:
    export_network(job, "w2a1")


def infer(job: Job) -> None:
    untimed(job, "w2a1")
