"""Which components of a network have to stay in float, and every step by which that was found."""

from __future__ import annotations

from typing import List, Literal

import msgspec

Outcome = Literal["ok", "float", "refused", "crashed", "timeout"]


class FloatSetStep(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """One attempt: the network quantized, and run, with ``kept`` left in float.

    ``ok``: all other components ran in the promised type. ``float``: it ran, and ``in_float`` are
    others that did not. ``refused``, ``crashed``: ``words`` are the framework's own, or the signal
    that ended it. ``timeout``: it took longer than a step may. ``removed``: parts that the network
    did without.
    """

    kept: List[str]
    outcome: Outcome
    in_float: List[str] = []
    removed: List[str] = []
    words: str = ""
    seconds: float = 0.0


class FloatSet(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """``kept``: components without which in float the others can't be quantized.

    ``minimal``: leaving any one of them out of it was tried, and failed (1-minimal, by delta
    debugging); False where nothing was accepted, not even all of ``components`` in float, and where
    a step was too slow to tell. ``steps`` are in the order in which they were taken; the first is
    of the whole network, nothing kept.

    ``removed``: parts that were taken out of the network, because it was refused whatever stayed in
    float; with any one of them in it, it was refused still. ``kept`` and ``minimal`` are then of
    the network without them, which was trained anew.
    """

    components: List[str]
    kept: List[str]
    minimal: bool
    steps: List[FloatSetStep]
    removed: List[str] = []
