"""Equation 12: the error of quantization is that of rounding plus that of clipping.

The paper doesn't say in what. Here both are sums of squares over disjoint elements, so that they
are the whole exactly: an element whose integer lies outside q_min ... q_max is clipped, and all of
its error counts as clipping; that of every other element is rounding.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import numpy as np

from runners.arithmetic.quantizers import Parameters, before_clipping, dequantize, quantize

Array = Any


class ErrorSplit(NamedTuple):
    """Sums of squares in the tensor's unit squared, float64; ``signal`` is that of the tensor."""

    rounding: float
    clipping: float
    total: float
    signal: float
    clipped: int
    elements: int

    def share(self, error: float) -> Optional[float]:
        """An error over the signal; None for a tensor of zeros."""
        return error / self.signal if self.signal else None


def split_error(x: Array, parameters: Parameters) -> ErrorSplit:
    """Of float32 ``x`` of any shape, finite. Raises RangeError where it has NaN."""
    values = np.asarray(x, np.float32)
    whole = before_clipping(values, parameters)
    outside = (whole < parameters.q_min) | (whole > parameters.q_max)
    errors = (dequantize(quantize(values, parameters), parameters) - values) ** 2
    return ErrorSplit(
        rounding=float(errors[~outside].sum()),
        clipping=float(errors[outside].sum()),
        total=float(errors.sum()),
        signal=float((values.astype(np.float64) ** 2).sum()),
        clipped=int(outside.sum()),
        elements=values.size,
    )
