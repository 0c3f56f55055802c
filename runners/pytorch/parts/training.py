"""One optimizer step in torch, and the training around it."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, ContextManager, List, NamedTuple, Optional, Tuple

import torch
from torch import nn

from runners.inference import evaluate
from runners.job import Job
from runners.loss_scaling import Optimizer
from runners.pytorch.parts.memory import watching_allocator
from runners.pytorch.parts.models import leave_neutral, save_model, trained_model
from runners.pytorch.parts.proof import prove_by_type
from runners.pytorch.parts.sessions import placing, session
from runners.training import (
    AdamRecipe,
    Array,
    Recipe,
    StepFunction,
    TrainRecipe,
    find_scale,
    train,
    training_recipe,
)


class Precision(NamedTuple):
    """What the forward pass computes in; ``scaled`` loss gradients are for float16's range."""

    guard: Callable[[], ContextManager[Any]] = contextlib.nullcontext
    scaled: bool = False


def autocast(device: torch.device, dtype: torch.dtype) -> Precision:
    """Mixed precision; float16 with GradScaler (Micikevicius 2018, section 3.2)."""
    return Precision(lambda: torch.autocast(device.type, dtype), dtype == torch.float16)


def train_model(
    job: Job,
    model: nn.Module,
    recipe: Recipe,
    device: torch.device,
    precision: Optional[Precision] = None,
) -> None:
    """Train ``model`` in place by the recipe; see runners.training.train.

    On a GPU, untimed steps come first, also where no loss is scaled: what the first step alone
    has to do is the same in every precision. So they do where a loss is scaled elsewhere.
    """
    precision = precision or Precision()
    model.train()
    if _channels_last(recipe):
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    take_step, optimizer = _stepping(model, recipe, device, precision)
    with watching_allocator(job, device):
        if optimizer is not None:
            find_scale(job, recipe, take_step, optimizer)
        with job.phase("train"):
            train(job, recipe, take_step, optimizer)


def step_function(
    model: nn.Module, recipe: Recipe, device: torch.device, precision: Precision
) -> StepFunction:
    """Forward, loss, backward, update; the loss's value waits for the device."""
    return _stepping(model, recipe, device, precision)[0]


def _stepping(
    model: nn.Module, recipe: Recipe, device: torch.device, precision: Precision
) -> Tuple[StepFunction, Optional[Optimizer]]:
    """The step, and the optimizer where untimed steps come before it."""
    loss_function = nn.CrossEntropyLoss()
    optimizer = optimizer_of(model, recipe)
    scaler = _scaler(device.type, precision.scaled)
    place = placing(device, _channels_last(recipe))

    def take_step(images: Array, labels: Array, learning_rate: float) -> float:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate
        with precision.guard():
            loss = loss_function(model(place(images)), torch.from_numpy(labels).to(device))
        optimizer.zero_grad(set_to_none=True)
        scaler.scale(loss).backward()
        if isinstance(recipe, TrainRecipe):
            scaler.unscale_(optimizer)
            nn.utils.clip_grad_norm_(model.parameters(), recipe.clip_norm)
        scaler.step(optimizer)
        scaler.update()
        return float(loss.item())

    if device.type != "cuda" and not precision.scaled:
        return take_step, None
    return take_step, _watched(model, optimizer, scaler)


def _scaler(device: str, enabled: bool) -> torch.amp.GradScaler:
    """Before torch 2.3 there was one for CUDA alone; disabled it serves every device."""
    if hasattr(torch.amp, "GradScaler"):
        return torch.amp.GradScaler(device, enabled=enabled)
    older: torch.amp.GradScaler = torch.cuda.amp.GradScaler(enabled=enabled)
    return older


def _watched(
    model: nn.Module, optimizer: torch.optim.Optimizer, scaler: torch.amp.GradScaler
) -> Optimizer:
    """What the training loop asks: updates by a hook, since GradScaler says nothing of a skip."""
    updates: List[None] = []
    optimizer.register_step_post_hook(lambda *_: updates.append(None))
    initial = {name: value.cpu().clone() for name, value in model.state_dict().items()}

    def restart() -> None:
        model.load_state_dict(initial)
        optimizer.state.clear()
        optimizer.zero_grad(set_to_none=True)

    scale = scaler.get_scale if scaler.is_enabled() else None
    return Optimizer(lambda: len(updates), restart, scale)


def optimizer_of(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Adam, or SGD with momentum and L2 weight decay."""
    if isinstance(recipe, AdamRecipe):
        return torch.optim.Adam(model.parameters(), recipe.learning_rate, eps=recipe.epsilon)
    return torch.optim.SGD(
        model.parameters(),
        lr=recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
    )


def _channels_last(recipe: Recipe) -> bool:
    return isinstance(recipe, AdamRecipe) and recipe.channels_last


def made_model(job: Job, device: torch.device, precision: Precision) -> Tuple[nn.Module, Recipe]:
    """A model, trained by the cell's recipe and saved unless the recipe says not to: a new one, or
    that of the cell it starts from.
    """
    recipe = training_recipe(job)
    with job.phase("build"):
        model: nn.Module = trained_model(job).to(device)
    job.record("parameters", [sum(weight.numel() for weight in model.parameters())])
    train_model(job, model, recipe, device, precision)
    model.eval()
    if recipe.keep_weights:
        save_model(job, model)
        leave_neutral(job, model)
    return model, recipe


def train_new_model(
    job: Job, device: torch.device, precision: Precision, promised: str, by_kernels: bool = False
) -> None:
    """A whole training cell: build, train, save, test in float32, prove the forward pass."""
    model, recipe = made_model(job, device, precision)
    evaluate(job, session(model, device), recipe.test_images, job.cell.batch_size)
    ready = session(model, device, guard=precision.guard)
    prove_by_type(job, ready, promised, by_kernels, model)
