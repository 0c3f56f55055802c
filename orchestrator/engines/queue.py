"""The further contract of an engine whose cells wait in a queue of somebody else's.

It takes all cells of a run at once, in bundles, keeps to what they start from, and needs nobody
who stays: the scheduler and the cells' own folders say how far they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from manifests.manifest import Status
from orchestrator.engines.base import Engine, Handle, Order, Standing, Tell
from orchestrator.environments.images import Image


class Job(NamedTuple):
    """A cell and the prepared image that it runs in."""

    image: Image
    order: Order


class Bundle(NamedTuple):
    """Cells that run one after the other in one job, on one node.

    ``level`` 0 waits for no other bundle, 1 for some of level 0, and so on; ``Order.after`` says
    for which cells. ``limit_s`` is what the cells' time limits add up to. ``node`` is the one that
    it has to run on, because others that it is compared with did; empty for any.
    """

    jobs: tuple[Job, ...]
    level: int
    limit_s: float
    on_gpu: bool = False
    node: str = ""


class Enqueued(NamedTuple):
    """``jobs`` are the scheduler's names for what it took, ``left`` what it does not take now."""

    jobs: list[str]
    left: list[Bundle]
    why_left: str = ""


@runtime_checkable
class Queue(Engine, Protocol):
    """An engine that takes bundles. Its cells outlive everybody who asks for them."""

    short_s: float
    """Cells whose estimates are less share jobs."""

    def enqueue(self, bundles: Sequence[Bundle], tell: Tell) -> Enqueued:
        """Hand bundles over, in their order; a handle lies in each cell's folder before.

        Raises RepliquantError when the scheduler refuses; bundles before that have been taken.
        """

    def standing(self, handle: Handle) -> Standing:
        """As ``poll``, in words. Asking often is cheap: the scheduler is asked now and then."""

    def withdraw(self, handles: Sequence[Handle], status: Status, reason: str) -> None:
        """Have all of them end; those that wait never start."""
