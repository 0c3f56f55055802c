"""What of a captioner is left in float: asked for, found, or so by itself."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, FrozenSet, Iterator, Sequence

from runners.failures import NotNow, Unsupported, is_out_of_memory
from runners.float_set_search import find_float_set, refusal
from runners.job import Job
from runners.models.captioner import COMPONENTS

Attempt = Callable[[FrozenSet[str]], Sequence[str]]


def chosen(job: Job, recipe: Any, attempt: Attempt) -> FrozenSet[str]:
    """The components that are left in float: none, or, where the recipe searches, those that have
    to be. Raises Unsupported where not even all of them in float are enough, NotNow where a step
    was too slow to tell.
    """
    if recipe.left_in_float == "nothing":
        return frozenset()
    found = find_float_set(job, COMPONENTS, attempt, recipe.step_s)
    job.float_set = found
    if any(step.outcome == "timeout" for step in found.steps):
        raise NotNow(
            f"what has to stay in float wasn't found: a step took longer than {recipe.step_s:g} s "
            "(step_s of the recipe), which says nothing of the network"
        )
    if not found.minimal:
        raise Unsupported(f"refused whatever stays in float: {found.steps[-1].words}")
    return frozenset(found.kept)


def record(job: Job, in_float: Sequence[str], kept: FrozenSet[str]) -> None:
    """Record ``float_component`` by component: 1 for one that is in float, 0 for one that isn't."""
    for name in COMPONENTS:
        left = name in kept or name in in_float
        source = "left in float" if name in kept else "as the technique made it"
        job.record("float_component", [int(left)], label=name, source=source)


@contextlib.contextmanager
def refused_by(library: str) -> Iterator[None]:
    """Raises Unsupported with a library's own words for whatever it raises on the network.

    Memory that ran out says nothing of what is supported, and stays what it is.
    """
    try:
        yield
    except Unsupported:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise Unsupported(f"{library}: {refusal(error)}") from error
