"""CUDA graphs: a whole call recorded once, and replayed without launching kernels one by one."""

from __future__ import annotations

import contextlib
import os
from typing import Iterator, Optional

import torch
from torch import nn

from runners.inference import Session
from runners.job import Job
from runners.measure import WARM_UP
from runners.pytorch.parts import layers
from runners.pytorch.parts.compiled import black_batch
from runners.pytorch.parts.memory import watching_allocator
from runners.pytorch.parts.sessions import session
from runners.pytorch.parts.steps import time_session

_WARM_UP_CALLS = 3
_FIRST_CUDA_WITH_TEARDOWN = (12, 6)


def time_graph(job: Job, model: nn.Module, device: torch.device, promised: str) -> None:
    """A whole inference cell whose call is one graph.

    A replay asks the allocator for nothing: its intermediates lie in a pool that the capture
    filled. So the allocator is watched from the capture on; the warm-up before it has labels of its
    own (watching_allocator).
    """
    keep_cupti(torch.version.cuda)
    with watching_allocator(job, device):
        ready = graphed_session(job, model, device)
        job.layers = lambda images: layers.compare(job, model, images)
        time_session(job, ready, promised, by_kernels=True, watching=_unwatched, model=model)


@contextlib.contextmanager
def _unwatched(job: Job, device: torch.device) -> Iterator[None]:
    """What is watched already stays so: watching anew would forget the capture's peak."""
    yield


def keep_cupti(cuda: Optional[str]) -> None:
    """Before CUDA 12.6 a profiler that ends in a process with graphs crashes it at the next one;
    torch itself guards Inductor's graphs only. Must be set before the first profile.
    """
    version = tuple(int(part) for part in (cuda or "").split(".")[:2] if part.isdigit())
    if version and version < _FIRST_CUDA_WITH_TEARDOWN:
        os.environ["TEARDOWN_CUPTI"] = "0"
        os.environ["DISABLE_CUPTI_LAZY_REINIT"] = "1"


def graphed_session(job: Job, model: nn.Module, device: torch.device) -> Session:
    """One CUDA graph of the whole model; a call copies its input in place and replays it."""
    static = black_batch(job, device)
    with job.phase(WARM_UP), torch.inference_mode():
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP_CALLS):
                model(static)
        torch.cuda.current_stream().wait_stream(stream)
    with job.phase("capture"), torch.inference_mode():
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            answer = model(static)
    seconds = job.last_phase_s(WARM_UP) + job.last_phase_s("capture")
    job.record("convert_s", [seconds], source="warm-up and capture")

    def replay(inputs: torch.Tensor) -> torch.Tensor:
        static.copy_(inputs)
        graph.replay()
        logits: torch.Tensor = answer
        return logits

    return session(replay, device, True, fixed_batch=True)
