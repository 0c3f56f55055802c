"""The float32 network in Larq Compute Engine's interpreter: what the binary one is held against.

shafique2023, section 6.4 names the toolchain (BNN-PYNQ). The weights are those that Brevitas'
technique of that name trained. Timed region: conversion (quantize); ``predict`` of a batch, image
by image, as the interpreter does it (inference).
"""

from __future__ import annotations

from runners.job import Job
from runners.larq.parts.steps import convert_network, time_file


def quantize(job: Job) -> None:
    convert_network(job, "float32")


def infer(job: Job) -> None:
    time_file(job, "float32")
