"""The operations of a .tflite file and their tensors, as plain data."""

from __future__ import annotations

from typing import List, NamedTuple, Tuple

import numpy as np


class Tensor(NamedTuple):
    """``dtype`` is numpy's name; ``scale`` is 0 where it isn't quantized by one scale."""

    number: int
    name: str
    shape: Tuple[int, ...]
    dtype: str
    scale: float
    zero_point: int

    @property
    def size_bytes(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64)) * np.dtype(self.dtype).itemsize


class Operation(NamedTuple):
    """One operation, in the order of execution; ``inputs`` leaves out those that are optional."""

    name: str
    inputs: List[Tensor]
    outputs: List[Tensor]
