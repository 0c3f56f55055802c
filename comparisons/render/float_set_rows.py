"""What of a network has to stay in float, and how that was found, in words."""

from __future__ import annotations

from collections import Counter

from manifests.float_set import FloatSetStep
from manifests.manifest import Manifest


def float_set_rows(manifest: Manifest) -> list[tuple[str, str]]:
    """The set and what it took to find it; empty for a cell that didn't look for one."""
    found = manifest.float_set
    if found is None:
        return []
    kept = ", ".join(found.kept) or "nothing"
    if not found.minimal:
        kept = "refused even with all components in float"
    counts = Counter(step.outcome for step in found.steps)
    told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
    seconds = sum(step.seconds for step in found.steps)
    taken_out = [("had to be taken out", ", ".join(found.removed))] if found.removed else []
    return [
        *taken_out,
        ("has to stay in float", kept),
        ("found in", f"{len(found.steps)} steps ({told}), {seconds:.0f} s"),
        ("the whole network", _what_came_of(found.steps[0])),
    ]


def float_set_steps(manifest: Manifest) -> list[tuple[str, str, str]]:
    """What was left in float or taken out, the outcome, the framework's words, step by step."""
    found = manifest.float_set
    steps = found.steps if found is not None else []
    return [(_tried(one), one.outcome, _words(one)) for one in steps]


def _tried(step: FloatSetStep) -> str:
    kept = ", ".join(step.kept) or "nothing"
    return f"{kept}; without {', '.join(step.removed)}" if step.removed else kept


def _what_came_of(step: FloatSetStep) -> str:
    return f"{step.outcome}: {_words(step)}" if _words(step) else step.outcome


def _words(step: FloatSetStep) -> str:
    return step.words or (f"in float: {', '.join(step.in_float)}" if step.in_float else "")
