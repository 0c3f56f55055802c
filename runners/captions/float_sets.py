"""What of a captioner is left in float: asked for, found, or so by itself; what was taken out."""

from __future__ import annotations

import contextlib
from typing import Any, Callable, FrozenSet, Iterator, List, NamedTuple, Sequence, Tuple

import msgspec

from manifests.float_set import FloatSet, FloatSetStep
from runners.failures import NotNow, Unsupported, is_out_of_memory
from runners.float_set_search import find_float_set, find_removal, refusal
from runners.job import Job
from runners.models.captioner import COMPONENTS, REMOVABLE, removed_components

Attempt = Callable[[FrozenSet[str], Sequence[str]], Sequence[str]]
"""Quantizes and runs the network, given what is left in float and what is taken out; the components
that ended in float all the same. Raises whatever the framework raises."""


class Choice(NamedTuple):
    """``kept`` in float; ``removed``: parts without which the network has to be trained anew."""

    kept: FrozenSet[str] = frozenset()
    removed: Tuple[str, ...] = ()


def chosen(job: Job, recipe: Any, attempt: Attempt) -> Choice:
    """What is left in float: nothing, or, where the recipe searches, what has to be. Where the
    network is refused whatever stays in float, or taken with all of it in float alone, what has to
    be taken out of it.

    Raises Unsupported where neither is enough, NotNow where a step was too slow to tell.
    """
    if recipe.left_in_float == "nothing":
        return Choice()
    found = _found(job, recipe, attempt, [])
    if _quantizes(found):
        return Choice(frozenset(found.kept))
    removed = _removed(job, recipe, attempt, found)
    rest = _found(job, recipe, attempt, removed)
    if not _quantizes(rest):
        raise Unsupported(f"refused without {', '.join(removed)}, too: {rest.steps[-1].words}")
    return Choice(frozenset(rest.kept), tuple(removed))


def _quantizes(found: FloatSet) -> bool:
    """Whether a set was found that leaves something to quantize."""
    return found.minimal and len(found.kept) < len(found.components)


def _found(job: Job, recipe: Any, attempt: Attempt, removed: Sequence[str]) -> FloatSet:
    """The job's ``float_set``: that of the network, or of it without what was ``removed``."""
    gone = removed_components(removed)
    left = [name for name in COMPONENTS if name not in gone]
    found = find_float_set(job, left, lambda kept: attempt(kept, removed), recipe.step_s)
    steps = [msgspec.structs.replace(one, removed=list(removed)) for one in found.steps]
    before = job.float_set.steps if job.float_set is not None else []
    found = msgspec.structs.replace(found, removed=list(removed), steps=[*before, *steps])
    job.float_set = found
    _in_time(recipe, steps)
    return found


def _removed(job: Job, recipe: Any, attempt: Attempt, refused: FloatSet) -> List[str]:
    """Parts without any one of which it is refused, whatever stays in float."""
    removal = find_removal(
        job, list(REMOVABLE), lambda parts: attempt(frozenset(), sorted(parts)), recipe.step_s
    )
    job.float_set = msgspec.structs.replace(refused, steps=[*refused.steps, *removal.steps])
    _in_time(recipe, removal.steps)
    if removal.removed is None:
        kept = "taken with all of it in float alone"
        if not refused.minimal:
            kept = "refused whatever stays in float"
        words = removal.steps[-1].words
        raise Unsupported(f"{kept}, and refused whatever is taken out: {words}")
    return removal.removed


def _in_time(recipe: Any, steps: Sequence[FloatSetStep]) -> None:
    if any(step.outcome == "timeout" for step in steps):
        raise NotNow(
            f"what has to stay in float wasn't found: a step took longer than {recipe.step_s:g} s "
            "(step_s of the recipe), which says nothing of the network"
        )


def record(job: Job, in_float: Sequence[str], choice: Choice) -> None:
    """Record ``float_component`` by component: 1 for one that is in float, 0 for one that isn't,
    null for one that was taken out; and ``removed_component`` where some were.
    """
    gone = removed_components(choice.removed)
    for name in COMPONENTS:
        if name in gone:
            job.record("float_component", [None], label=name, reason="taken out of the network")
            continue
        left = name in choice.kept or name in in_float
        source = "left in float" if name in choice.kept else "as the technique made it"
        job.record("float_component", [int(left)], label=name, source=source)
    for name in COMPONENTS if gone else ():
        job.record("removed_component", [int(name in gone)], label=name)


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
