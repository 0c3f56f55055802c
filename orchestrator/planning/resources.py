"""What a cell may use of the machine: what was asked for, checked against what the engine has."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from machine.allotment import choose, is_uuid, same
from machine.inventory import described
from manifests.errors import InputError
from orchestrator.engines.base import Engine
from orchestrator.engines.registry import first


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
        raise InputError(_no_limit(engine))
    usable = engine.capacity().cpus
    for cpu in cpus:
        if cpu not in usable:
            raise InputError(
                f"--cpus {cpu}: the engine {engine.name} has no such processor. "
                f"Accepted: {_ranges(usable)}"
            )
    chosen = _gpus(engine, gpus)
    share = len(cpus or usable) // max(1, len(chosen))
    return Resources(cpus, chosen, memory_bytes, threads or max(1, share))


def _no_limit(engine: Engine) -> str:
    containers = first(containers=True)
    if engine.name == containers:
        return (
            f"--memory: the kernel holds nobody to a limit of {engine.words} (no control group "
            "of its own). Leave it out, or use an engine that runs with root"
        )
    return (
        f"--memory needs containers, and the engine {engine.name} runs none. "
        f"Use --engine {containers}, or leave it out"
    )


def _gpus(engine: Engine, asked: tuple[str, ...] | None) -> tuple[str, ...]:
    """The GPUs to use; the first one alone unless others are asked for."""
    there = engine.capacity().gpus
    if asked is None:
        return there[:1]
    if "all" in asked:
        return there
    chosen = [_chosen(engine, gpu, there) for gpu in asked]
    if len(set(chosen)) < len(chosen):
        raise InputError(f"--gpus {','.join(asked)}: names a GPU twice. Name each once")
    return tuple(chosen)


def _chosen(engine: Engine, asked: str, there: tuple[str, ...]) -> str:
    gpus = described() if is_uuid(asked) and not any(same(asked, gpu) for gpu in there) else {}
    found = choose(asked, there, gpus)
    if found is not None:
        return found
    raise InputError(
        f"--gpus {asked}: the engine {engine.name} has no such GPU. "
        f"Accepted: {_accepted(there) if there else 'none, it has no GPU'}"
    )


def _accepted(there: tuple[str, ...]) -> str:
    """Numbers count what was allotted, which may have other names for itself."""
    names = [
        str(number) if gpu == str(number) else f"{number} (it is {gpu} of what was allotted)"
        for number, gpu in enumerate(there)
    ]
    return ", ".join(("all", *names))


def _ranges(numbers: Sequence[int]) -> str:
    """0-3,6: as they are written on the command line."""
    runs = (list(run) for _, run in groupby(enumerate(numbers), lambda pair: pair[1] - pair[0]))
    ends = ((run[0][1], run[-1][1]) for run in runs)
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in ends)
