"""Which GPUs are ours: what the person or the scheduler allotted is the whole world of Repliquant.

``CUDA_VISIBLE_DEVICES`` is read as CUDA reads it: entries up to the first that names no GPU;
https://docs.nvidia.com/cuda/cuda-c-programming-guide/ (environment variables). Without it a
Slurm job's own list counts, then that of a container.
"""

from __future__ import annotations

import os
from typing import Iterable, Iterator, Mapping, NamedTuple, Sequence

from manifests.manifest import Gpu

CUDA = "CUDA_VISIBLE_DEVICES"
_GLOBAL = ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS", "NVIDIA_VISIBLE_DEVICES")
"""These number the GPUs of the whole machine, of which a container or a job may see a part."""

_NONE = ("none", "void", "NoDevFiles")
_UUID = ("GPU-", "MIG-")
_SHORTEST_UUID = len("GPU-") + 4


class Allotment(NamedTuple):
    """``gpus`` are entries as CUDA_VISIBLE_DEVICES takes them; ``by`` is the variable, if any."""

    gpus: tuple[str, ...]
    by: str = ""

    @property
    def words(self) -> str:
        """By what it is restricted, for a sentence; nothing where it isn't."""
        return f"by {self.by}: {', '.join(self.gpus) or 'none'}" if self.by else ""


def allotment(there: int, environment: Mapping[str, str] = os.environ) -> Allotment:
    """Of ``there`` GPUs that this process can see, those that it may use."""
    every = tuple(str(number) for number in range(there))
    if not there:
        return Allotment(())
    if CUDA in environment:
        return Allotment(tuple(_as_cuda(environment[CUDA], there)), CUDA)
    for name in _GLOBAL:
        value = environment.get(name, "").strip()
        if value and value != "all":
            return Allotment(_of_machine(value, every), name)
    return Allotment(every)


def _as_cuda(value: str, there: int) -> list[str]:
    """Each once: CUDA refuses a GPU that is named twice, and a cell gets but one."""
    found: dict[str, None] = {}
    for entry in (part.strip() for part in value.split(",")):
        if entry.isascii() and entry.isdigit() and int(entry) < there:
            found[str(int(entry))] = None
        elif is_uuid(entry):
            found[entry] = None
        else:
            break
    return list(found)


def _of_machine(value: str, every: tuple[str, ...]) -> tuple[str, ...]:
    """Where no more can be seen than was allotted, what is seen is that, numbered from 0."""
    if value in _NONE:
        return ()
    entries = list(dict.fromkeys(_spelled_out(value)))
    if all(is_uuid(entry) for entry in entries):
        return tuple(entries)
    return every if len(entries) >= len(every) else tuple(_as_cuda(",".join(entries), len(every)))


def _spelled_out(value: str) -> Iterator[str]:
    """``0-2,5`` is 0, 1, 2, 5."""
    for part in (part.strip() for part in value.split(",")):
        first, dash, last = part.partition("-")
        if dash and first.isdigit() and last.isdigit():
            yield from (str(number) for number in range(int(first), int(last) + 1))
        else:
            yield part


def is_uuid(entry: str) -> bool:
    """Whether it names a card or a MIG instance by its UUID, or the beginning of it."""
    return entry.startswith(_UUID) and len(entry) >= _SHORTEST_UUID


def same(one: str, other: str) -> bool:
    """Whether two UUIDs mean one device: CUDA takes a beginning for the whole."""
    return is_uuid(one) and is_uuid(other) and (one.startswith(other) or other.startswith(one))


class Placed(NamedTuple):
    """The driver's numbers of some entries, and why there is none for the others."""

    numbers: tuple[int, ...]
    reason: str = ""


def place(
    entries: Iterable[str], gpus: Mapping[int, Gpu], environment: Mapping[str, str] = os.environ
) -> Placed:
    """Where NVML has the GPUs that a cell was given; an instance of MIG has its card's number."""
    numbers, reasons = [], []
    for entry in entries:
        if entry.isdigit():
            found = None if _ambiguous(gpus.values(), environment) else int(entry)
            why = f"which card number {entry} is can't be told: set CUDA_DEVICE_ORDER=PCI_BUS_ID"
        else:
            found = next((number for number, gpu in gpus.items() if _has(gpu, entry)), None)
            why = f"NVML knows no {entry}"
        if found is None:
            reasons.append(why)
        else:
            numbers.append(found)
    return Placed(tuple(numbers), "; ".join(reasons))


def _ambiguous(gpus: Iterable[Gpu], environment: Mapping[str, str]) -> bool:
    """CUDA's own order is by speed, NVML's by the bus; they part where the cards are unlike."""
    by_bus = CUDA not in environment or environment.get("CUDA_DEVICE_ORDER") == "PCI_BUS_ID"
    return not by_bus and len({gpu.name for gpu in gpus}) > 1


def _has(gpu: Gpu, entry: str) -> bool:
    return any(same(entry, uuid) for uuid in (gpu.uuid or "", *gpu.instances))


def choose(asked: str, entries: Sequence[str], gpus: Mapping[int, Gpu]) -> str | None:
    """The entry for what a person typed: a number counts ``entries``, a UUID names its card."""
    if asked.isascii() and asked.isdigit():
        return entries[int(asked)] if int(asked) < len(entries) else None
    for entry in entries:
        if same(asked, entry):
            return asked
    owner = place([asked], gpus).numbers
    return asked if owner and set(owner) & set(place(entries, gpus).numbers) else None
