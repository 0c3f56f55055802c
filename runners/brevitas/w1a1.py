"""Weights and activations of one bit, trained by Brevitas, exported to QONNX, executed by qonnx.

shafique2023, section 6.4 names the toolchain (BNN-PYNQ). CNV's first layer takes pixels of 8 bits,
as BNN-PYNQ's does. Timed region: every optimizer step and every epoch (training, which computes in
float32); writing the QONNX file (quantize). Nothing is timed of an inference: see parts/steps.py.
"""

from __future__ import annotations

from runners.brevitas.parts.steps import export_network, untimed
from runners.brevitas.parts.training import train_network
from runners.job import Job


def train(job: Job) -> None:
    train_network(job, "w1a1")


def quantize(job: Job) -> None:
    export_network(job, "w1a1")


def infer(job: Job) -> None:
    untimed(job, "w1a1")
