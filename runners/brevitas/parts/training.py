"""Training with Adam on cross-entropy; the quantizers pass gradients straight through."""

from __future__ import annotations

import torch
from torch import nn

from manifests.manifest import Flag
from runners.binary_proof import prove_products
from runners.binary_values import product_kind
from runners.brevitas.parts.network import FLOAT, Network, arrays_of, inside, load_arrays
from runners.brevitas.parts.sessions import begin, described_network, place, session
from runners.inference import evaluate
from runners.job import Job
from runners.models.bnn_pynq import initial_arrays
from runners.precision_proof import Operation
from runners.training import Array, FallingAdamRecipe, StepFunction, train

PROMISED = {FLOAT: "float32", "w1a1": "binary", "w2a1": "ternary"}
SIMULATED = "Brevitas computes in float32, with weights and activations rounded to what they are"
_PROVING_IMAGES = 8


def train_network(job: Job, scheme: str) -> None:
    """A whole training cell: build, train, save, test, and what the products multiply."""
    begin(job)
    recipe = job.recipe(FallingAdamRecipe)
    described = described_network(job)
    with job.phase("build"):
        model = Network(described, scheme)
        load_arrays(model, initial_arrays(described, job.cell.seed))
    job.record("parameters", [sum(weight.numel() for weight in model.parameters())])
    model.train()
    with job.phase("train"):
        train(job, recipe, step_function(model, recipe))
    model.eval()
    if recipe.keep_weights:
        _save(job, model, scheme)
    prove(job, model, scheme)
    evaluate(job, session(model), recipe.test_images, job.cell.batch_size)


def step_function(model: Network, recipe: FallingAdamRecipe) -> StepFunction:
    """Forward, loss, backward, update."""
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(
        model.parameters(), recipe.learning_rate, eps=recipe.epsilon, fused=True
    )

    def take_step(images: Array, labels: Array, learning_rate: float) -> float:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        loss = loss_function(model(place(model.described, images)), torch.from_numpy(labels))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return float(loss.item())

    return take_step


def _save(job: Job, model: Network, scheme: str) -> None:
    """The neutral weights. Only in float32 is their file what would be deployed."""
    with job.phase("save"):
        job.neutral_weights(arrays_of(model))
    size = job.artifacts[-1].size_bytes
    if scheme == FLOAT:
        job.record("model_size_bytes", [size], source="weights file on disk")
        return
    why = f"weights of {scheme[1]} bit lie in the training's file as float32 ({size:,} bytes)"
    job.record("model_size_bytes", [None], reason=why)


def prove(job: Job, model: Network, scheme: str) -> None:
    """By the numbers that each product of some test images really multiplied.

    Raises Unsupported where they aren't what the technique promises.
    """
    images = job.data.normalise(job.data.timed(_PROVING_IMAGES))
    operations = [
        Operation(type(model.products[name]).__name__,
                  product_kind(inputs.numpy(), weights.numpy(), PROMISED[scheme]), 1)
        for name, inputs, weights, _ in inside(model, place(model.described, images))
    ]  # fmt: skip
    source = "the numbers that each product multiplied"
    prove_products(job, model.described, PROMISED[scheme], operations, source)
    if scheme != FLOAT:
        job.flag(Flag(name="simulated-quantization", detail=SIMULATED))
    job.layers = "products of binary networks are compared by their kinds only"
