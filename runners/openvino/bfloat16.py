"""OpenVINO in bfloat16, what it takes by itself where a processor has instructions for it.

The file stays float32. On a processor that computes it in float32 all the same the proof fails, and
the cell is ``unsupported``. Timed region: conversion; ``infer()``.
"""

from __future__ import annotations

from runners import probing
from runners.job import Job
from runners.openvino.parts import steps
from runners.openvino.probes.watched import FRAMEWORK


def quantize(job: Job) -> None:
    steps.quantize_float(job, "bfloat16", "bf16")


def infer(job: Job) -> None:
    steps.infer_float(job, "bfloat16", "bf16")


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
