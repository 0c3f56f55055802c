"""How many BatchNorm operations a network still executes: what wasn't folded into convolutions."""

from __future__ import annotations

from typing import Optional

from runners.job import Job
from runners.models.resnet18 import NETWORKS, network_of


def record_batch_norms(job: Job, left: Optional[int], source: str, reason: str = "") -> None:
    """Record ``batch_norms_left`` of a network that has BatchNorm; nothing of another.

    ``left`` is None where it can't be told, with the reason.
    """
    model = job.cell.model
    if model not in NETWORKS or job.cell.feature:
        return
    there = len(network_of(model, 1).normalisations)
    if there:
        job.record("batch_norms_left", [left], items=there, source=source, reason=reason)
