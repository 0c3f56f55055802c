"""What a cell may use of the machine: what was asked for, checked against what the engine has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from orchestrator.engines import Engine
from orchestrator.errors import InputError


class Resources(NamedTuple):
    """Processors (empty: all), GPUs (one cell each), memory of a cell, threads of a cell."""

    cpus: tuple[int, ...]
    gpus: tuple[str, ...]
    memory_bytes: int | None
    threads: int


def allot(
    engine: Engine,
    cpus: tuple[int, ...],
    gpus: tuple[str, ...] | None,
    memory_bytes: int | None,
    threads: int,
) -> Resources:
    """Raises InputError for what the engine doesn't have."""
    if memory_bytes is not None and not engine.limits_memory:
        raise InputError(
            f"--memory needs containers, and the engine {engine.name} runs none. "
            "Use --engine docker, or leave it out"
        )
    usable = engine.cpus()
    for cpu in cpus:
        if cpu not in usable:
            raise InputError(
                f"--cpus {cpu}: the engine {engine.name} has no such processor. "
                f"Accepted: {_ranges(usable)}"
            )
    chosen = _gpus(engine, gpus)
    share = len(cpus or usable) // max(1, len(chosen))
    return Resources(cpus, chosen, memory_bytes, threads or max(1, share))


def _gpus(engine: Engine, asked: tuple[str, ...] | None) -> tuple[str, ...]:
    """The GPUs to use; the first one alone unless others are asked for."""
    there = tuple(engine.gpus())
    if asked is None:
        return there[:1]
    if "all" in asked:
        return there
    for gpu in asked:
        if gpu not in there:
            raise InputError(
                f"--gpus {gpu}: the engine {engine.name} has no such GPU. "
                f"Accepted: {', '.join(('all', *there)) if there else 'none, it has no GPU'}"
            )
    return asked


def _ranges(numbers: Sequence[int]) -> str:
    """0-3,6: as they are written on the command line."""
    runs = (list(run) for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]))
    ends = ((run[0][1], run[-1][1]) for run in runs)
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ends)
