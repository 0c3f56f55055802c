"""What of a machine is not as it should be for measuring, and the commands that change it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from manifests.hardware import Conditions, Gpu, GpuSettings
from services.phrases import printable

_CPU = "/sys/devices/system/cpu"
_BEST = "performance"


class Tuning(NamedTuple):
    """One thing to change. ``wanted``: without it times vary; others are a matter of choice.

    ``undo`` is empty where a restart alone brings the old state back.
    """

    what: str
    found: str
    why: str
    command: str
    undo: str
    wanted: bool = True


def tunings(
    conditions: Conditions,
    gpus: Mapping[int, Gpu],
    rapl: list[str],
    root: Path = Path("/"),
    has_cpupower: bool | None = None,
) -> Iterator[Tuning]:
    """The machine's, then each GPU's. ``rapl`` are energy counters that only root may read."""
    if has_cpupower is None:
        has_cpupower = shutil.which("cpupower") is not None
    yield from _clocks(conditions, root, has_cpupower)
    yield from _memory(conditions)
    yield from _threads(conditions, root)
    for index, gpu in gpus.items():
        if gpu.settings is not None:
            yield from _gpu(index, gpu, gpu.settings)
    yield from _energy(rapl)


def _clocks(conditions: Conditions, root: Path, has_cpupower: bool) -> Iterator[Tuning]:
    governors = conditions.governors or [_BEST]
    if governors != [_BEST]:
        set_to = _cpupower if has_cpupower else _governor_file
        yield Tuning(
            "governor",
            ", ".join(governors),
            "clocks follow the load, and the first calls are slower than the rest",
            set_to(_BEST),
            set_to(governors[0]),
        )
    preferences = conditions.energy_preferences or [_BEST]
    if preferences != [_BEST]:
        yield Tuning(
            "energy preference",
            ", ".join(preferences),
            "the processor saves energy at the cost of its clock",
            _tee(_BEST, f"{_CPU}/cpu*/cpufreq/energy_performance_preference"),
            _tee(preferences[0], f"{_CPU}/cpu*/cpufreq/energy_performance_preference"),
        )
    if conditions.boost:
        off, on, place = _boost(root)
        yield Tuning(
            "turbo", "on", "clocks depend on temperature and on how many cores work",
            _tee(off, place), _tee(on, place),
        )  # fmt: skip


def _cpupower(governor: str) -> str:
    return f"sudo cpupower frequency-set --governor {governor}"


def _governor_file(governor: str) -> str:
    return _tee(governor, f"{_CPU}/cpu*/cpufreq/scaling_governor")


def _tee(text: str, place: str) -> str:
    return f"echo {text} | sudo tee {place}"


def _boost(root: Path) -> tuple[str, str, str]:
    """What turns it off and on, and where this machine's driver takes that."""
    if (root / _CPU.lstrip("/") / "intel_pstate/no_turbo").exists():
        return "1", "0", f"{_CPU}/intel_pstate/no_turbo"
    if (root / _CPU.lstrip("/") / "cpufreq/boost").exists():
        return "0", "1", f"{_CPU}/cpufreq/boost"
    return "0", "1", f"{_CPU}/cpufreq/policy*/boost"


def _memory(conditions: Conditions) -> Iterator[Tuning]:
    if conditions.numa_balancing and (conditions.numa_nodes or 1) > 1:
        yield Tuning(
            "NUMA balancing",
            "on",
            "the kernel moves memory between nodes while it is used",
            "sudo sysctl kernel.numa_balancing=0",
            "sudo sysctl kernel.numa_balancing=1",
        )
    random = conditions.address_randomization
    if random is not None and random != 2:
        yield Tuning(
            "ASLR",
            str(random),
            "repeats share one layout of memory, whose luck no interval shows",
            "sudo sysctl kernel.randomize_va_space=2",
            f"sudo sysctl kernel.randomize_va_space={random}",
        )


def _threads(conditions: Conditions, root: Path) -> Iterator[Tuning]:
    control = f"{_CPU}/smt/control"
    if conditions.smt and (root / control.lstrip("/")).exists():
        yield Tuning(
            "SMT", "on", "two threads of a core slow each other down",
            _tee("off", control), _tee("on", control), wanted=False,
        )  # fmt: skip


def _gpu(index: int, gpu: Gpu, settings: GpuSettings) -> Iterator[Tuning]:
    smi, name = f"sudo nvidia-smi -i {index}", f"GPU {index}"
    if settings.persistence is False:
        yield Tuning(
            f"{name} persistence", "off", "the driver goes to sleep between cells, clocks with it",
            f"{smi} -pm 1", f"{smi} -pm 0",
        )  # fmt: skip
    limit, own = gpu.power_limit_w, settings.power_limit_default_w
    if limit is not None and own is not None and limit < own - 0.5:
        yield Tuning(
            f"{name} power limit", f"{limit:g} W of {own:g} W", "the board is held below its own",
            f"{smi} -pl {own:g}", f"{smi} -pl {limit:g}",
        )  # fmt: skip
    if settings.compute_mode == "prohibited":
        yield Tuning(
            f"{name} compute mode", "prohibited", "nothing may compute on it",
            f"{smi} -c DEFAULT", f"{smi} -c PROHIBITED",
        )  # fmt: skip
    clock = settings.default_sm_clock_hz or gpu.sm_clock_hz
    if not settings.clocks_fixed and clock:
        mhz = clock // 1_000_000
        yield Tuning(
            f"{name} clocks", "not known to be locked", "they follow temperature and power",
            f"{smi} --lock-gpu-clocks={mhz},{mhz}", f"{smi} --reset-gpu-clocks", wanted=False,
        )  # fmt: skip


def _energy(rapl: list[str]) -> Iterator[Tuning]:
    if rapl:
        files = " ".join(rapl)
        yield Tuning(
            "energy counters (RAPL)",
            "for root only",
            "energy of the processors can't be measured; others on this machine could read them "
            "then too, which lets them guess at what you compute",
            f"sudo chmod a+r {files}",
            f"sudo chmod go-r {files}",
            wanted=False,
        )


def tuning_lines(found: list[Tuning]) -> Iterator[str]:
    """For a shell: comments and commands, what is wanted first."""
    for item in sorted(found, key=lambda item: not item.wanted):
        choice = "" if item.wanted else " (a choice)"
        yield f"# {item.what}: {item.found}. {item.why[0].upper()}{item.why[1:]}.{choice}"
        yield item.command
        yield f"#   undo: {item.undo}"
    if not found:
        yield "# nothing to change of what is shown here"


def hidden_words(conditions: Conditions) -> str:
    """What can't be told here, by its reason."""
    by_reason: dict[str, list[str]] = {}
    for name, why in conditions.reasons.items():
        by_reason.setdefault(why, []).append(name.replace("_", " "))
    return "; ".join(f"{', '.join(names)}: {why}" for why, names in by_reason.items())


def conditions_words(now: Conditions) -> str:
    """What is known of it, in a line."""
    switches = (("turbo", now.boost), ("SMT", now.smt), ("NUMA balancing", now.numa_balancing))
    values = (
        ("governor", ", ".join(now.governors or ())),
        ("energy preference", ", ".join(now.energy_preferences or ())),
        *((name, "on" if on else "off") for name, on in switches if on is not None),
        ("NUMA nodes", now.numa_nodes),
        ("ASLR", now.address_randomization),
        ("huge pages", now.huge_pages),
        ("clock source", now.clock_source),
    )
    told = (f"{name} {value}" for name, value in values if value not in ("", None))
    return printable(", ".join(told))
