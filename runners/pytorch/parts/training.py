"""One optimizer step in torch, and the baseline's and QAT's training around it."""

from __future__ import annotations

import torch
from torch import nn

from runners.job import Job
from runners.training import Array, StepFunction, TrainRecipe, train


def train_model(job: Job, model: nn.Module, recipe: TrainRecipe, device: torch.device) -> None:
    """Train ``model`` in place by the recipe; see runners.training.train."""
    model.train()
    with job.phase("train"):
        train(job, recipe, step_function(model, recipe, device))


def step_function(model: nn.Module, recipe: TrainRecipe, device: torch.device) -> StepFunction:
    """SGD with momentum, L2 weight decay and clipping by the global norm."""
    loss_function = nn.CrossEntropyLoss()
    optimizer = torch.optim.SGD(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )

    def take_step(images: Array, labels: Array, learning_rate: float) -> float:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        inputs = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous().to(device)
        loss = loss_function(model(inputs), torch.from_numpy(labels).to(device))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
        optimizer.step()
        return float(loss.item())

    return take_step
