"""The steps that every PyTorch technique shares: evaluating, timing, proving."""

from __future__ import annotations

from typing import Callable, ContextManager, Optional

import torch

from runners.failures import Unsupported
from runners.inference import Session, evaluate, infer_recipe, time_inference
from runners.job import Job
from runners.protocols import controlled
from runners.pytorch.parts import layers
from runners.pytorch.parts.memory import watching_allocator
from runners.pytorch.parts.models import device_of
from runners.pytorch.parts.proof import prove, prove_by_type, record_breakdown
from runners.pytorch.parts.sessions import session

Watching = Callable[[Job, torch.device], ContextManager[None]]


def begin(job: Job, tf32: bool = False) -> torch.device:
    """Threads and device of the cell; a GPU's float32 is float32 unless ``tf32``.

    Rigorous cells let cuDNN try its algorithms on the shapes it meets, as TensorFlow and TensorRT
    do by default; torch's own default takes what a heuristic says.
    """
    torch.set_num_threads(job.threads)
    device = device_of(job)
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.backends.cudnn.allow_tf32 = tf32
    torch.backends.cudnn.benchmark = controlled(job.cell.protocol)
    if device.type == "cuda":
        _record_settings(job)
    return device


def _record_settings(job: Job) -> None:
    job.settings.update(
        {
            "torch.backends.cuda.matmul.allow_tf32": str(torch.backends.cuda.matmul.allow_tf32),
            "torch.backends.cudnn.allow_tf32": str(torch.backends.cudnn.allow_tf32),
            "torch.backends.cudnn.benchmark": str(torch.backends.cudnn.benchmark),
        }
    )


def begin_on_gpu(job: Job, tf32: bool = False) -> torch.device:
    """The same for what only a GPU has. Raises Unsupported on a processor."""
    if job.cell.device == "cpu":
        raise Unsupported(f"{job.cell.technique} needs an NVIDIA GPU; this cell is for a processor")
    return begin(job, tf32)


def begin_on_cpu(job: Job) -> torch.device:
    """The same for kernels that only processors have. Raises Unsupported on a GPU."""
    if job.cell.device != "cpu":
        raise Unsupported(f"torch has {job.cell.technique}'s int8 kernels for processors only")
    return begin(job)


def finish_model(job: Job, model: torch.nn.Module, test_images: int, promised: str) -> None:
    """Accuracy on the test split, and the proof, of a model that was just made."""
    ready = session(model, device_of(job))
    evaluate(job, ready, test_images, job.cell.batch_size)
    _prove(job, ready, promised, model)
    job.layers = lambda images: layers.compare(job, model, images)


def time_model(job: Job, model: torch.nn.Module, promised: str) -> None:
    """Latency, end-to-end time, breakdown by operation, and the proof, in eager mode."""
    device = device_of(job)
    ready = session(model.to(device), device)
    _time(job, ready, watching_allocator)
    _prove(job, ready, promised, model)


def _prove(job: Job, ready: Session, promised: str, model: torch.nn.Module) -> None:
    """By operators on a processor; on a GPU by kernels, since no operator tells TF32."""
    if job.promises(promised, ready):
        return
    if job.cell.device == "cpu":
        prove(job, ready, promised)
    else:
        prove_by_type(job, ready, promised, by_kernels=True, model=model)


def time_session(
    job: Job,
    ready: Session,
    promised: str,
    by_kernels: bool = False,
    watching: Watching = watching_allocator,
    model: Optional[torch.nn.Module] = None,
) -> None:
    """The same for a session whose proof comes from types or kernels; see prove_by_type."""
    _time(job, ready, watching)
    prove_by_type(job, ready, promised, by_kernels, model)


def _time(job: Job, ready: Session, watching: Watching) -> None:
    recipe = infer_recipe(job)
    with watching(job, device_of(job)):
        time_inference(job, ready)
    if recipe.test_images is not None:
        evaluate(job, ready, recipe.test_images, job.cell.batch_size)
    if recipe.profile_calls:
        record_breakdown(job, ready, recipe.profile_calls)
