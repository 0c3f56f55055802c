"""The computer of a cell: what it is, how it is set, and what held the cell back."""

from __future__ import annotations

from typing import Dict, List, Optional

import msgspec


class GpuSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What decides how fast and how evenly a GPU runs, as its owner set it.

    ``application_*`` are the clocks that work on it is to have, ``default_*`` those without
    anybody's choice. ``clocks_fixed``: somebody holds them down or to a value; NVML shows no lock,
    so that it is never False. ``power_limit_default_w`` is the board's own. ``reasons`` says by the
    field's name why one is missing.
    """

    persistence: Optional[bool] = None
    ecc: Optional[bool] = None
    ecc_after_restart: Optional[bool] = None
    compute_mode: Optional[str] = None
    application_sm_clock_hz: Optional[int] = None
    application_memory_clock_hz: Optional[int] = None
    default_sm_clock_hz: Optional[int] = None
    default_memory_clock_hz: Optional[int] = None
    clocks_fixed: Optional[bool] = None
    power_limit_default_w: Optional[float] = None
    reasons: Dict[str, str] = {}


class Gpu(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A GPU as its driver describes it; clocks are the highest that it may take.

    ``index`` is its number on this machine, by its place on the bus. ``mig`` says that it is
    divided into instances. ``uuid`` is the name that a card has on every machine, ``instances``
    those of its MIG instances. ``settings`` are what its owner chose.
    """

    name: str
    memory_bytes: Optional[int] = None
    driver: Optional[str] = None
    cuda: Optional[str] = None
    compute_capability: Optional[str] = None
    power_limit_w: Optional[float] = None
    sm_clock_hz: Optional[int] = None
    memory_clock_hz: Optional[int] = None
    index: Optional[int] = None
    mig: Optional[bool] = None
    uuid: Optional[str] = None
    instances: List[str] = []
    settings: Optional[GpuSettings] = None


class Machine(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The computer; what can't be read is ``None``."""

    system: str
    architecture: str
    cpu: Optional[str]
    cpus: Optional[int]
    instruction_sets: List[str]
    memory_bytes: Optional[int]
    hypervisor: bool = False
    gpus: List[Gpu] = []


class Conditions(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What decides how fast and how evenly the processors run; read before the cell's work.

    ``governors`` and ``energy_preferences`` are those in use, each once. ``boost``: clocks above
    the nominal one are allowed. ``smt``: cores run more than one thread. ``load_average`` is over
    1, 5 and 15 minutes; the pressures are the share of the last 10 s in which something waited for
    the resource. ``address_randomization`` is the kernel's number (2 is all of it).
    ``reasons`` says by the field's name why one is missing.
    """

    frequency_driver: Optional[str] = None
    governors: Optional[List[str]] = None
    energy_preferences: Optional[List[str]] = None
    boost: Optional[bool] = None
    smt: Optional[bool] = None
    numa_nodes: Optional[int] = None
    numa_balancing: Optional[bool] = None
    load_average: Optional[List[float]] = None
    cpu_pressure_percent: Optional[float] = None
    memory_pressure_percent: Optional[float] = None
    io_pressure_percent: Optional[float] = None
    address_randomization: Optional[int] = None
    huge_pages: Optional[str] = None
    clock_source: Optional[str] = None
    reasons: Dict[str, str] = {}


class Limits(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What held the cell back from outside of it; ``None`` and nothing where nothing did.

    ``quota_cpus`` is how many processors' time its control groups leave it, ``memory_bytes`` their
    limit. ``affinity`` are the processors that it was held to, where others are online; ``nice``
    and ``policy`` are its place in the kernel's queue.
    """

    quota_cpus: Optional[float] = None
    memory_bytes: Optional[int] = None
    nice: Optional[int] = None
    policy: Optional[str] = None
    affinity: List[int] = []
    cpus_online: Optional[int] = None


class IdlePower(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """What the machine drew before a run, over ``seconds``, while nobody worked on it.

    ``power_w`` is by device: ``host`` (the processor packages), ``host/dram``, the UUID of a GPU.
    Where it was not measured ``reason`` says why.
    """

    seconds: float = 0.0
    power_w: Dict[str, float] = {}
    reason: str = ""
