"""One finding of the doctor."""

from __future__ import annotations

from typing import NamedTuple


class Diagnosis(NamedTuple):
    """``state``: ``ok``; ``note``: how it is here, and nothing is wrong with that; ``advice``: not
    as it should be for measuring; ``problem``: it keeps cells from running.
    """

    state: str
    what: str
    detail: str
    next_step: str = ""

    @property
    def wrong(self) -> bool:
        """Whether somebody should do something about it."""
        return self.state in ("advice", "problem")
