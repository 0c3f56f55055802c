"""This machine in a line: processor, memory, GPUs, the engine of a run, and who is busy on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from services.phrases import count, printable, processor_name, size

if TYPE_CHECKING:
    from manifests.manifest import Machine


class MachineWords(NamedTuple):
    """Each part in words for people."""

    processor: str
    memory: str
    gpus: str
    engine: str


class Business(NamedTuple):
    """``quiet`` is None where it can't be told; ``words`` say who is busy."""

    quiet: bool | None
    words: str


def look_at_machine() -> MachineWords:
    """Takes up to a second: engines are asked whether they are there."""
    from machine.inventory import described
    from runners.machine import machine

    names = [gpu.name for gpu in described().values()]
    return machine_words(machine(), _engine(), names)


def machine_words(found: Machine, engine: str, gpus: Sequence[str] = ()) -> MachineWords:
    """``gpus`` are the names that NVML has; those of the kernel stand in for them."""
    processors = f"{processor_name(found.cpu or 'a processor')}, "
    processors += count(found.cpus or 1, "processor")
    names = list(gpus) or [gpu.name for gpu in found.gpus]
    told = ", ".join(f"{names.count(name)} x {name}" for name in dict.fromkeys(names))
    memory = f"{size(found.memory_bytes)} of memory" if found.memory_bytes else "memory unknown"
    return MachineWords(processors, memory, told or "no GPU", engine)


def look_who_is_busy(look_s: float = 1.0) -> Business:
    """Watches for ``look_s`` seconds; this process and what it started are not others."""
    import time

    from machine.quiet import Watch, busy_words, is_quiet

    watch = Watch()
    time.sleep(look_s)
    busy = watch.look()
    if busy is None:
        return Business(None, "who is busy can't be told here")
    if is_quiet(busy):
        return Business(True, "quiet")
    who = ", ".join(name for name, _ in busy.who[:2])
    words = f"busy: others take {100 * busy.others:.0f} %" if busy.who else busy_words(busy)
    return Business(False, printable(f"{words} ({who})" if who else words))


def _engine() -> str:
    """The name of the engine that a run would take; why there is none."""
    from manifests.errors import RepliquantError
    from orchestrator.engines.auto import choose_engine
    from orchestrator.environments.images import image_names, load_image

    images = []
    for name in image_names():
        try:
            images.append(load_image(name))
        except RepliquantError:
            continue  # the doctor tells
    try:
        return choose_engine([one for one in images if not one.container_only]).engine.name
    except RepliquantError as error:
        return f"none: {error}"
