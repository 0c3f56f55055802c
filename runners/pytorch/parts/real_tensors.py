"""Weights and activations of a trained network, and the gradients of a step, as arrays."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import numpy as np
import torch
from torch import nn

from runners.arithmetic.quantizer_trial import Sample, spread
from runners.data import batches, training_batches
from runners.job import Job
from runners.pytorch.parts.sessions import placing

Array = Any


def weights(model: nn.Module, count: int) -> List[Sample]:
    """``count`` weights of convolutions and products, from the first to the last layer."""
    found = [
        Sample(f"{name} weight", [values], values)
        for name, module in model.named_modules()
        if isinstance(module, (nn.Conv2d, nn.Linear))
        for values in [module.weight.detach().numpy().copy()]
    ]
    return [found[place] for place in spread(len(found), count)]


def activations(
    job: Job, model: nn.Module, count: int, calibration: int, test: int
) -> List[Sample]:
    """``count`` layers' outputs, from the first to the last: on training images by batch, to
    calibrate on, and on test images together, to quantize.
    """
    names = [name for name, module in model.named_modules() if name and _is_leaf(module)]
    wanted = [names[place] for place in spread(len(names), count)]
    observed = job.data.calibration(calibration, job.cell.seed)
    seen = [
        _outputs(model, batch.images, wanted)
        for batch in batches(job.data, observed, job.cell.batch_size)
    ]
    tested = [
        _outputs(model, batch.images, wanted)
        for batch in batches(job.data, job.data.test(test), job.cell.batch_size)
    ]
    return [
        Sample(name, [one[name] for one in seen], np.concatenate([one[name] for one in tested]))
        for name in wanted
    ]


def gradients(job: Job, model: nn.Module) -> Tuple[List[Array], List[Array]]:
    """Of one real training step in float32, on one batch: of the weights, and of what convolutions
    and products put out, which is what a backward pass in a narrow format holds.
    """
    part = job.data.train(job.cell.batch_size, job.cell.seed)
    (batch,) = training_batches(job.data, part, job.cell.batch_size, job.cell.seed, augmented=False)
    inside: List[Array] = []

    def keep(module: nn.Module, to_inputs: Any, to_outputs: Any) -> None:
        inside.extend(one.detach().numpy().copy() for one in to_outputs if one is not None)

    computing = [m for m in model.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    hooks = [module.register_full_backward_hook(keep) for module in computing]
    model.train()
    try:
        model.zero_grad(set_to_none=True)
        answer = model(placing(torch.device("cpu"))(batch.images))
        loss: torch.Tensor = nn.CrossEntropyLoss()(answer, torch.from_numpy(batch.labels))
        loss.backward()  # type: ignore[no-untyped-call]
    finally:
        model.eval()
        for handle in hooks:
            handle.remove()
    own = [p.grad.numpy().copy() for p in model.parameters() if p.grad is not None]
    return own, inside


def _is_leaf(module: nn.Module) -> bool:
    moving = isinstance(module, (nn.ZeroPad2d, nn.Flatten, nn.Dropout, nn.Identity))
    return not moving and next(module.children(), None) is None


def _outputs(model: nn.Module, images: Array, wanted: List[str]) -> Dict[str, Array]:
    kept: Dict[str, Array] = {}

    def keeping(name: str) -> Any:
        def hook(module: nn.Module, given: Any, made: torch.Tensor) -> None:
            kept[name] = made.detach().contiguous().numpy().copy()

        return hook

    modules = dict(model.named_modules())
    hooks = [modules[name].register_forward_hook(keeping(name)) for name in wanted]
    try:
        with torch.no_grad():
            model(placing(torch.device("cpu"))(images))
    finally:
        for handle in hooks:
            handle.remove()
    return kept
