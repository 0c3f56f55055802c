"""Dynamic quantization: int8 weights of linear and recurrent layers, whose activations are
quantized at each call, and 8-bit tables of embeddings.

Needs no calibration. Convolutions are not covered, so nearly all of ResNet18 stays float32;
the proof in the manifest says how much. Timed region: conversion; the call.
"""

from __future__ import annotations

from typing import Dict, Type

import torch
from torch import nn
from torch.ao.quantization import (
    QConfig,
    default_dynamic_qconfig,
    float_qparams_weight_only_qconfig,
    quantize_dynamic,
)

from runners import probing
from runners.inference import QuantizeRecipe
from runners.job import Job
from runners.pytorch.parts import eager
from runners.pytorch.parts.models import empty_model, load_weights, save_model, trained_model
from runners.pytorch.parts.steps import begin_on_cpu, finish_model, time_model
from runners.pytorch.probes.watched import FRAMEWORK


def quantize(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    recipe = job.recipe(QuantizeRecipe)
    with job.phase("build"):
        model = trained_model(job)
    with job.phase("convert"):
        quantized = _quantized(model)
    job.record("convert_s", [job.last_phase_s("convert")])
    save_model(job, quantized)
    finish_model(job, quantized, recipe.test_images, "int8")


def infer(job: Job) -> None:
    begin_on_cpu(job)
    eager.quiet()
    with job.phase("build"):
        model = _quantized(empty_model(job))
        model.load_state_dict(load_weights(job))
    time_model(job, model, "int8")


def _quantized(model: torch.nn.Module) -> torch.nn.Module:
    eager.choose_backend()
    quantized: torch.nn.Module = quantize_dynamic(model, _covered())
    return quantized


def _covered() -> Dict[Type[nn.Module], QConfig]:
    """All layers that torch quantizes in this way, each with the configuration that it takes."""
    return {
        **dict.fromkeys((nn.Linear, nn.LSTM, nn.GRU), default_dynamic_qconfig),
        **dict.fromkeys((nn.Embedding, nn.EmbeddingBag), float_qparams_weight_only_qconfig),
    }


def probe(job: Job) -> None:
    probing.probe(job, quantize, FRAMEWORK)
