"""How large a batch has to be to run out of a GPU's memory, and no larger than its indices reach.

What training ResNet-50 at 224 px keeps for the backward pass was counted by torch's
``saved_tensors_hooks``: 81.8 MB an image in float32, about half in mixed precision.
"""

from __future__ import annotations

import math

SAVED_BYTES_PER_IMAGE = 81.8e6
_LARGEST_TENSOR = 64 * 112 * 112  # elements an image, after the first convolution
_INDEX_LIMIT = 2**31
_STEP = 100
# More than the memory by this much, so that it runs out whatever else is counted or freed; half
# of it, in mixed precision, still leaves a third of the memory.
_MARGIN = 1.25
LARGEST_BATCH = (_INDEX_LIMIT - 1) // _LARGEST_TENSOR // _STEP * _STEP
"""2,600: tensors beyond 2^31 elements need other kernels, or none are there."""


def saved_bytes(batch: int) -> float:
    """What the backward pass of a float32 batch needs at once, weights not counted."""
    return batch * SAVED_BYTES_PER_IMAGE


def batch_beyond(memory_bytes: int | None) -> int:
    """The batch that doesn't fit: in hundreds; the largest where the memory isn't known."""
    if not memory_bytes:
        return LARGEST_BATCH
    needed = math.ceil(memory_bytes * _MARGIN / SAVED_BYTES_PER_IMAGE / _STEP) * _STEP
    return min(needed, LARGEST_BATCH)


def runs_out(batch: int, memory_bytes: int | None) -> bool:
    """Whether float32 can't fit; False also where the memory isn't known."""
    return bool(memory_bytes) and saved_bytes(batch) > (memory_bytes or 0)
