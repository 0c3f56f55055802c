"""The binary network in Larq, executed in packed form by Larq Compute Engine: 32 weights a word.

shafique2023, section 6.4 names the toolchain (BNN-PYNQ). The weights are those that Brevitas'
technique of that name trained. Timed region: conversion (quantize); ``predict`` of a batch, image
by image, as the interpreter does it (inference). The engine's fast kernels are for Arm; on x86 it
runs portable ones.
"""

from __future__ import annotations

from runners.job import Job
from runners.larq.parts.steps import convert_network, time_file


def quantize(job: Job) -> None:
    convert_network(job, "binary")


def infer(job: Job) -> None:
    time_file(job, "binary")
