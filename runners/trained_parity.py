"""The same network in another place: it answers what the cell that trained it kept.

For networks that never were float: runners.float_parity holds float models against theirs.
"""

from __future__ import annotations

from typing import Optional

from manifests.manifest import Manifest
from runners.failures import Unsupported
from runners.float_parity import Parity, parity
from runners.job import Job
from runners.outputs import OUTPUTS_FILE, Outputs, answers, read
from runners.session import Session

TRAINED = "trained network"
"""The label of metrics that are about the network built anew, before anything is made of it."""


def show_same_network(job: Job, session: Session) -> None:
    """Record ``logit_difference`` and ``agreement``: ``session`` against its training's answers.

    Raises Unsupported where they aren't the same, or that can't be shown.
    """
    with job.phase("parity"):
        found = against_training(job, session)
    if not found.holds:
        raise Unsupported(
            f"this isn't the network that was trained: the same class first for {found.agreeing} "
            f"of {found.images} images, logits differ by {found.difference} of the largest"
        )


def against_training(job: Job, session: Session, label: str = TRAINED) -> Parity:
    """Both metrics of ``session``, whose label they carry. Raises Unsupported without answers."""
    parent = job.weights.manifest()
    theirs = _kept(job, parent)
    ours = answers(job, session, theirs.images)
    if theirs.values is None or ours is None or ours.values is None:
        raise Unsupported("the network's answers can't be compared: one of both gives no logits")
    found = parity(theirs, ours)
    source = f"against what cell {job.cell.weights_from} kept"
    reason = "" if found.difference is not None else "not every value is finite, or all are zero"
    job.record("logit_difference", [found.difference], label, found.images, source, reason)
    job.record("agreement", [found.agreeing / found.images], label, found.images, source)
    return found


def _kept(job: Job, parent: Optional[Manifest]) -> Outputs:
    """What the training's cell answered to the same test images. Raises Unsupported."""
    if parent is None:
        raise Unsupported("the weights' cell left no manifest to hold the network against")
    data = parent.inputs.dataset
    theirs = data.splits.get("test") if data else None
    ours = job.data.meta.splits.get("test")
    if theirs is None or ours is None or theirs.sha256 != ours.sha256:
        raise Unsupported(f"cell {parent.id} answered other test images")
    if not any(artifact.path == OUTPUTS_FILE for artifact in parent.artifacts):
        raise Unsupported(f"cell {parent.id} kept no answers to hold the network against")
    return read(job.weights.file(OUTPUTS_FILE))
