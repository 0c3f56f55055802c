"""A call that makes several steps of its batch: what that alone contributes to a speedup over it.

As published, ``predict(batch)`` is not told the batch's size, and Keras makes steps of 32 of what
it gets: of 64 images two. In the rigorous protocol the same call is one step, and so the ratio of
the two is the splitting. What else the protocols differ in (the clock, the number of calls) is in
that ratio too; where both make one step it is all of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from comparisons.measured import measure_place
from comparisons.number_flags import Flagged
from comparisons.points import Points
from papers.published import Column, TableFile

_LATENCY = Column(name="latency", label="latency", unit="ms", metric="latency_s")
_STEPS = Column(name="steps", label="steps", unit="×", metric="steps_per_call")
_TABLE = TableFile(id="", title="", place="", key=[], select={"task": "infer"})


class OneStep(NamedTuple):
    """``ms`` of the call on the whole batch in one step, its cells, and their flags.

    ``values`` has the milliseconds of each process.
    """

    ms: float
    cells: tuple[str, ...]
    flagged: Flagged
    values: tuple[float, ...] = ()


def in_one_step(point: Mapping[str, str], technique: str, points: Points) -> OneStep | None:
    """The rigorous call of a batch that is split as published; None where it is not split, or
    where not both were measured. ``point`` holds the protocol.
    """
    if point["protocol"] != "as-published":
        return None
    key = {**point, "technique": technique}
    steps = measure_place(_TABLE, _STEPS, key, points).value
    key["protocol"] = "rigorous"
    whole = measure_place(_TABLE, _STEPS, key, points).value
    latency = measure_place(_TABLE, _LATENCY, key, points)
    if not steps or steps <= 1 or whole != 1 or not latency.value:
        return None
    return OneStep(latency.value, tuple(latency.cells), latency.flagged, latency.values)
