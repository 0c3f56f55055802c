"""What a model file takes and gives, as far as the host has to know it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

MOST_VALUES = 64 * 2**20
"""Of one input of a batch of one: 256 MiB in float32."""
MOST_BATCH = 4096


class RefusedFileError(Exception):
    """Why a model file can't be measured, in a clause and what to do about it."""


class Entry(NamedTuple):
    """The one input: ``shape`` is that of a single one; ``batch`` None where it is free."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    batch: int | None

    @property
    def image(self) -> tuple[int, int] | None:
        """Side and channels where it takes square pictures, channels first or last; else None."""
        if len(self.shape) != 3:
            return None
        for channels, sides in ((self.shape[0], self.shape[1:]), (self.shape[2], self.shape[:2])):
            if channels in (1, 3) and sides[0] == sides[1]:
                return sides[0], channels
        return None

    @property
    def words(self) -> str:
        """``float32 3 x 224 x 224``"""
        return f"{self.dtype} {' x '.join(map(str, self.shape))}"


def entry_of(
    name: str, dtype: str, accepted: Sequence[str], dims: Sequence[int | None] | None
) -> Entry:
    """The input with those dimensions, None where one is free. Raises RefusedFileError."""
    if dtype not in accepted:
        raise RefusedFileError(
            f"its input holds {dtype}, which is not supported. Accepted: {', '.join(accepted)}"
        )
    if dims is None:
        raise RefusedFileError(
            "its input has no fixed rank. Export it with a shape, such as 1 x 3 x 224 x 224"
        )
    if len(dims) < 2:
        raise RefusedFileError(
            f"its input has {len(dims)} dimension{'s' * (len(dims) != 1)}; 2 at least are needed, "
            "the first of them the batch"
        )
    if any(size is not None and size <= 0 for size in dims):
        shown = " x ".join("?" if size is None else str(size) for size in dims)
        raise RefusedFileError(f"its input has a dimension that is not positive ({shown})")
    sizes = [size for size in dims[1:] if size is not None]
    if len(sizes) < len(dims) - 1:
        raise RefusedFileError(
            "its input leaves more than the batch open. Export it with a fixed size, such as "
            "3 x 224 x 224"
        )
    _check_sizes(sizes, dims[0])
    return Entry(name, dtype, tuple(sizes), dims[0])


def _check_sizes(sizes: list[int], batch: int | None) -> None:
    if math.prod(sizes) > MOST_VALUES:
        shown = " x ".join(map(str, sizes))
        raise RefusedFileError(f"one input of it ({shown}) has more than {MOST_VALUES:,} values")
    if batch is not None and batch > MOST_BATCH:
        raise RefusedFileError(f"its batch is fixed at {batch:,}; {MOST_BATCH:,} is the most")


def one_of(inputs: Sequence[object]) -> None:
    """Raises RefusedFileError unless there is just one input."""
    if not inputs:
        raise RefusedFileError("it has no input: there is nothing to give to it")
    if len(inputs) > 1:
        raise RefusedFileError(f"it has {len(inputs)} inputs; models with one are accepted")
