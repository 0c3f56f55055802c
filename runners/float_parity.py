"""Float parity: a network that was built anew from neutral weights computes what its training did.

It is shown before anything is called quantized, on the answers that the training's cell kept: on
every one of those test images the same class comes first, and the largest difference of logits is
at most 1e-3 of the largest logit. Where the parent's logits of two classes are equal but for the
rounding of float32, the order of sums says which comes first: such a tie is no other answer. A
parent that kept probabilities is compared by probabilities.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import numpy as np

from manifests.manifest import Manifest
from runners import fidelity
from runners.failures import Unsupported
from runners.float_answers import kept_outputs
from runners.job import Job
from runners.outputs import Outputs, answers
from runners.session import Session

Array = Any

LARGEST = 1e-3
"""Of the largest logit: what the order of float32 sums may make of it, with room to spare."""
TIE = 1e-6
"""Of the largest logit: logits no further apart are equal but for rounding, 8 units of float32."""
FLOAT_MODEL = "float model"
"""The label of metrics that are about the float model, in a cell that makes a quantized one."""


class Parity(NamedTuple):
    """``difference`` is None where an answer isn't finite; ``agreeing`` counts ``images``.

    ``tied`` counts those of the others whose two first classes were a tie of the parent's.
    """

    difference: Optional[float]
    agreeing: int
    images: int
    kind: str
    tied: int = 0

    @property
    def holds(self) -> bool:
        close = self.difference is not None and self.difference <= LARGEST
        return close and self.agreeing + self.tied == self.images


def show_float_parity(job: Job, session: Session) -> None:
    """Record ``logit_difference`` and ``agreement`` of the float model that ``session`` calls.

    Raises Unsupported where it doesn't compute what its training did, or that can't be shown.
    A probe has no training behind it.
    """
    if job.cell.task == "probe":
        return
    parent = job.weights.manifest()
    if parent is None:
        raise Unsupported("float parity can't be shown: the weights' cell left no manifest")
    theirs, why = kept_outputs(job, parent)
    if theirs is None or theirs.values is None:
        why = why or "it kept classes only"
        raise Unsupported(f"float parity can't be shown: of cell {parent.id}'s answers {why}")
    with job.phase("float-parity"):
        ours = answers(job, session, theirs.images)
    if ours is None or ours.values is None:
        raise Unsupported("float parity can't be shown: the float model gives no logits")
    _record(job, parity(theirs, ours), parent)


def parity(theirs: Outputs, ours: Outputs) -> Parity:
    """Of two models' answers to the same images; both with values."""
    kind = fidelity.LOGITS if theirs.kind == ours.kind == fidelity.LOGITS else "probabilities"
    x, y = (
        one.values if kind == fidelity.LOGITS else fidelity.probabilities(one.values, one.kind)
        for one in (theirs, ours)
    )
    answered = (theirs.predicted >= 0) & (ours.predicted >= 0)
    same = answered & (theirs.predicted == ours.predicted)
    tied = ties(x, theirs.predicted, ours.predicted) & answered & ~same
    found = largest_difference(x, y)
    return Parity(found, int(same.sum()), len(theirs.images), kind, int(tied.sum()))


def ties(parent: Array, first: Array, other: Array) -> Array:
    """Of each row, whether the parent gave the class ``other`` what it gave its ``first``."""
    rows = np.arange(len(parent))
    apart = np.abs(parent[rows, first] - parent[rows, other])
    return apart <= TIE * np.abs(parent).max(initial=0)


def largest_difference(parent: Array, child: Array) -> Optional[float]:
    """max |x - y| / max |x|; None where a value isn't finite, or all are zero."""
    x, y = np.asarray(parent, np.float64), np.asarray(child, np.float64)
    largest = float(np.abs(x).max()) if x.size else 0.0
    if not largest or not (np.isfinite(x).all() and np.isfinite(y).all()):
        return None
    return float(np.abs(x - y).max()) / largest


def _record(job: Job, found: Parity, parent: Manifest) -> None:
    source = f"{found.kind} of the float model, against what cell {parent.id} kept"
    reason = "" if found.difference is not None else "not every value is finite, or all are zero"
    job.record(
        "logit_difference", [found.difference], items=found.images, source=source, reason=reason
    )
    job.record("agreement", [found.agreeing / found.images], FLOAT_MODEL, found.images, source)
    if not found.holds:
        far = reason or f"{found.kind} differ by {found.difference:.2g} of the largest"
        raise Unsupported(
            f"float parity failed: {far}, the same class first for {found.agreeing} of "
            f"{found.images} images. What is made from it is not that network quantized"
        )
