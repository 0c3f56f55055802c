"""What this machine can run, what it can't, and what to do about it."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from services.diagnosis import Diagnosis as Diagnosis

if TYPE_CHECKING:
    from machine.allotment import Allotment
    from orchestrator.engines.base import Engine
    from orchestrator.environments.images import Image


def examine(brief: bool = False) -> Iterator[Diagnosis]:
    """Everything that is looked at, the machine first, then each image, places, and who is busy."""
    from machine.quiet import Watch
    from services.measuring import BRIEF_LOOK_S, LOOK_S, business

    watch, until_s = Watch(), time.monotonic() + (BRIEF_LOOK_S if brief else LOOK_S)
    yield Diagnosis("ok", "python", f"{sys.version.split()[0]} at {sys.executable}")
    yield _processor()
    yield from _gpus()
    yield from _limits()
    yield from _measuring()
    yield from _engines()
    yield from _images(brief)
    yield from _places()
    yield business(watch, until_s - time.monotonic())


def _processor() -> Diagnosis:
    # The facts that manifests carry are read by the runners' own module.
    from runners.machine import machine, usable_cpus

    found = machine()
    fast = [s for s in found.instruction_sets if "vnni" in s or "amx" in s or "dp" in s]
    detail = f"{found.cpu}, {usable_cpus()} usable; int8 instructions: {', '.join(fast) or 'none'}"
    return Diagnosis("ok" if fast else "note", "processor", detail, "" if fast else _NO_VNNI)


def _limits() -> Iterator[Diagnosis]:
    """What holds this process back, and cells with it where they are its children."""
    from runners.machine import limits
    from services.limits import limits_words

    told = limits_words(limits())
    if told:
        yield Diagnosis("advice", "limits", told, _HELD_BACK)


def _measuring() -> Iterator[Diagnosis]:
    """How the machine is set."""
    from machine import rapl
    from machine.conditions import conditions
    from machine.inventory import described
    from services.measuring import settings

    yield from settings(conditions(), described(), rapl.only_for_root())


_HELD_BACK = "cells of the local engine run under them too: start from a shell without"
_NO_VNNI = "int8 will run, without the speed that such instructions give"


def _gpus() -> Iterator[Diagnosis]:
    """The GPUs as the kernel and as NVML see them, and what can be read while cells run."""
    import msgspec

    from machine.gpus import NvmlGpus
    from machine.host import Host
    from machine.inventory import kernel_gpus, visible_gpus
    from services.gpu_lines import gpu_words

    nvml = NvmlGpus()
    described = nvml.describe()
    reasons = nvml.read(lambda pid: None).reasons
    nvml.close()
    lost = {index: reasons[f"gpus/{index}"] for index in described if f"gpus/{index}" in reasons}
    yield _gpu(kernel_gpus(), len(described), reasons.get("gpus", ""), visible_gpus())
    for index, gpu in described.items():
        words = gpu_words(msgspec.structs.replace(gpu, index=None))
        if index in lost:
            state = "note" if _DENIED in lost[index] else "problem"
            yield Diagnosis(state, f"gpu {index}", f"{words}: {lost[index]}", _LOST)
        else:
            yield Diagnosis("ok", f"gpu {index}", words)
    yield _telemetry(_lacking({**reasons, **_lasting(Host().read().reasons)}))


_DENIED = "Insufficient Permissions"
"""Such a GPU is well: it is somebody else's."""

_LOST = "cells on it would fail: restart the machine, or leave it out with CUDA_VISIBLE_DEVICES"


def _gpu(kernel: int, nvml: int, why: str, ours: Allotment) -> Diagnosis:
    """How many there are, whether both ways of seeing them agree, and which are ours."""
    count = max(kernel, nvml)
    if not count:
        return Diagnosis("note", "gpu", "none", "GPU cells are recorded as unsupported")
    detail = f"{count} NVIDIA"
    if nvml and not kernel:
        detail += ", seen by NVML alone (as in WSL2)"
    elif kernel != nvml:
        detail = f"{kernel} NVIDIA by the kernel's driver, {nvml} by NVML" + (
            f": {why}" * bool(why)
        )
    if ours.by:
        detail += f"; allotted {ours.words}"
    if not ours.gpus:
        return Diagnosis("note", "gpu", detail, "GPU cells are recorded as unsupported")
    if kernel and kernel != nvml:
        return Diagnosis("advice", "gpu", detail, "cells use those that CUDA sees; see telemetry")
    return Diagnosis("ok", "gpu", detail)


def _telemetry(reasons: dict[str, str]) -> Diagnosis:
    if not reasons:
        return Diagnosis("ok", "telemetry", "everything can be read")
    missing = "; ".join(f"{what}: {why}" for what, why in reasons.items())
    return Diagnosis("note", "telemetry", f"not read: {missing}", _NULL)


_NULL = "null with this reason in manifests; nothing else depends on it"


def _lasting(reasons: dict[str, str]) -> dict[str, str]:
    """Without those of a first reading."""
    from machine.host import WARMING_UP

    return {what: why for what, why in reasons.items() if why != WARMING_UP}


_DOMAINS = ("instant_power_w", "module_power_w", "dram_energy_j")
"""Beside the energy of a device itself; a machine that lacks them lacks nothing."""


def _lacking(reasons: dict[str, str]) -> dict[str, str]:
    return {what: why for what, why in reasons.items() if not what.endswith(_DOMAINS)}


_OTHERS_WORK = "fix it, then run again; others are not affected"


def _engines() -> Iterator[Diagnosis]:
    """What each engine says of itself."""
    from manifests.errors import RepliquantError
    from orchestrator.engines.registry import entry, names

    for name in names():
        try:
            for found in entry(name).examine():
                yield Diagnosis(*found)
        except RepliquantError as error:
            yield Diagnosis("problem", f"engine {name}", str(error), _OTHERS_WORK)


def _images(brief: bool) -> Iterator[Diagnosis]:
    """Each image, with the engine that a run would take now; briefly only what can't be read: to
    say more a registry may have to be asked, and a run says it.
    """
    from manifests.errors import RepliquantError
    from orchestrator.engines.auto import choose_engine
    from orchestrator.environments.images import image_names, load_image

    images = []
    for name in image_names():
        try:
            images.append(load_image(name))
        except RepliquantError as error:
            yield Diagnosis("problem", f"image {name}", str(error), _OTHERS_WORK)
    if brief:
        return
    choice = choose_engine([image for image in images if not image.container_only])
    yield Diagnosis("ok", "engine", f"{choice.engine.name}: {choice.why}")
    for image in images:
        yield _image(choice.engine, image)


def _image(engine: Engine, image: Image) -> Diagnosis:
    from machine.inventory import compute_capability
    from manifests.errors import RepliquantError
    from orchestrator.planning import gpu_compat

    name = f"image {image.name}"
    try:
        state = engine.status(image)
        if state == "ready" and image.unhashed:
            taken = f"{state}, with {', '.join(image.unhashed)} whatever their content"
            return Diagnosis("note", name, taken, "REPLIQUANT_ALLOW_UNHASHED asks for that")
        if state == "ready":
            return Diagnosis("ok", name, state)
        obstacle = engine.obstacle(image)
        if obstacle:
            return Diagnosis("note", name, obstacle, "its cells are recorded as unsupported")
    except RepliquantError as error:
        return Diagnosis("problem", name, str(error), _OTHERS_WORK)
    refused = gpu_compat.obstacle(image, compute_capability())
    if refused:
        return Diagnosis("note", name, refused, "runs choose the image that fits")
    step = f"built by the first run, or: repliquant images build {image.name}"
    return Diagnosis("note", name, state, step)


def _places() -> Iterator[Diagnosis]:
    from machine.inventory import free_bytes
    from manifests import paths
    from services.phrases import size

    for what, folder in (("cache", paths.cache()), ("runs", paths.runs())):
        free = free_bytes(folder)
        writable = _writable(folder)
        detail = f"{folder}, {size(free) if free is not None else '?'} free"
        if not writable:
            yield Diagnosis("problem", what, f"{detail}, not writable", _elsewhere(what))
        elif free is not None and free < 4 * 2**30:
            yield Diagnosis("advice", what, detail, "the environments take 3 GiB")
        else:
            yield Diagnosis("ok", what, detail)


def _elsewhere(what: str) -> str:
    return f"set REPLIQUANT_{what.upper()} to a folder that can be written to"


def _writable(folder: Path) -> bool:
    """Whether a file can really be made where ``folder`` is or would be."""
    path = folder.absolute()
    while not path.exists():
        path = path.parent
    try:
        with tempfile.TemporaryFile(dir=path):
            return True
    except OSError:
        return False
