"""Why losses are scaled (shafique2023, section 3.7.2): what a narrow format makes of gradients."""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Optional, Sequence

import numpy as np

from runners.arithmetic.float_formats import (
    FLOAT16_SMALLEST_NORMAL,
    from_float16,
    to_float16,
)

Array = Any


class Flushed(NamedTuple):
    """Of so many ``gradients`` that are not 0, how many become 0, subnormal, infinite."""

    gradients: int
    zero: int
    subnormal: int
    infinite: int

    def share(self, count: int) -> Optional[float]:
        """Of those that are not 0; None where all are."""
        return count / self.gradients if self.gradients else None


def flushed(
    gradients: Sequence[Array],
    scale: float = 1.0,
    narrowed: Callable[[Array], Array] = lambda x: from_float16(to_float16(x)),
    smallest_normal: float = FLOAT16_SMALLEST_NORMAL,
) -> Flushed:
    """What ``narrowed`` (float32 to the same in the narrow format) makes of ``gradients``, float32
    arrays of any shape, each multiplied by ``scale`` first, as it is where the loss was.
    """
    return _sum([_flushed(one, scale, narrowed, smallest_normal) for one in gradients])


def _flushed(
    gradients: Array, scale: float, narrowed: Callable[[Array], Array], smallest_normal: float
) -> Flushed:
    values = np.asarray(gradients, np.float32).ravel()
    values = values[(values != 0) & np.isfinite(values)]
    with np.errstate(over="ignore"):
        size = np.abs(narrowed(values * np.float32(scale)))
    return Flushed(
        gradients=len(values),
        zero=int((size == 0).sum()),
        subnormal=int(((size > 0) & (size < smallest_normal)).sum()),
        infinite=int(np.isinf(size).sum()),
    )


def _sum(parts: Sequence[Flushed]) -> Flushed:
    return Flushed(*(sum(column) for column in zip(*parts)))
