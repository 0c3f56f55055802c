"""The steps that every PyTorch technique shares: evaluating, timing, proving."""

from __future__ import annotations

import torch

from runners.inference import InferRecipe, evaluate, time_inference
from runners.job import Job
from runners.pytorch.parts.models import device_of
from runners.pytorch.parts.proof import prove, record_breakdown
from runners.pytorch.parts.sessions import session


def begin(job: Job) -> torch.device:
    """Threads and device of the cell."""
    torch.set_num_threads(job.threads)
    return device_of(job)


def finish_model(job: Job, model: torch.nn.Module, test_images: int, promised: str) -> None:
    """Accuracy on the test split, and the proof, of a model that was just made."""
    ready = session(model, device_of(job))
    evaluate(job, ready, test_images, job.cell.batch_size)
    prove(job, ready, promised)


def time_model(job: Job, model: torch.nn.Module, promised: str) -> None:
    """Latency, end-to-end time, breakdown by operation, and the proof."""
    device = device_of(job)
    ready = session(model.to(device), device)
    time_inference(job, ready)
    calls = job.recipe(InferRecipe).profile_calls
    if calls:
        record_breakdown(job, ready, calls)
    prove(job, ready, promised)
