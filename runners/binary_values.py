"""What numbers really went into a product: of one bit, of two, of eight, or any.

A binary product is one whose inputs and weights were all -1 or 1 when it was executed; that is
looked at, not concluded from how a network was built.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

FLOAT32, BINARY, TERNARY = "float32", "binary", "ternary"
"""What a technique promises. Ternary: weights -1, 0 and 1, inputs of one bit."""


def is_binary(values: Array) -> bool:
    """Whether all are -1 or 1."""
    return bool(np.all(np.abs(values) == 1))


def is_ternary(values: Array) -> bool:
    """Whether all are -1, 0 or 1."""
    return bool(np.all(np.isin(values, (-1, 0, 1))))


def is_int8(values: Array) -> bool:
    """Whether all are whole numbers of 8 bits."""
    return bool(np.all(values == np.rint(values)) and np.all(values >= -128) and
                np.all(values <= 127))  # fmt: skip


def product_kind(inputs: Array, weights: Array, promised: str) -> str:
    """The kind of a product by its numbers, for runners.precision_proof.

    ``promised`` ternary: weights without a zero in them count as ternary too.
    """
    of_weights = _kind_of_weights(weights, promised)
    if of_weights == FLOAT32:
        return FLOAT32
    if is_binary(inputs):
        return of_weights
    return f"{'int8' if is_int8(inputs) else FLOAT32} x {of_weights}"


def _kind_of_weights(weights: Array, promised: str) -> str:
    if promised != TERNARY and is_binary(weights):
        return BINARY
    return TERNARY if promised != FLOAT32 and is_ternary(weights) else FLOAT32
