"""What surrounded the cells of a run, as facts that can be laid beside another run's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from manifests.credentials import redacted
from manifests.manifest import Conditions, Environment, Limits, Manifest
from manifests.variables import kept

NOTHING = "(none)"
_OF = ": "
_NO_PACKAGES = ("python", "lock", "digest")
Facts = dict[str, set[str]]
"""A fact's name to every value that some cell of the run has for it."""


class Differing(NamedTuple):
    """A fact that isn't the same on both sides; no value is ``(none)``.

    An environment in which one side ran nothing is a single fact.
    """

    what: str
    base: str
    new: str


def facts(manifests: Iterable[Manifest]) -> Facts:
    """Machine, system, threads, packages, image and kit of all cells that really ran.

    What isn't known, such as the digest of an image that no container ran, is no fact.
    """
    found: Facts = {}
    seen: set[tuple[int, int]] = set()
    for manifest in manifests:
        # The manifests of a run share one object for each environment and context.
        key = (id(manifest.environment), id(manifest.context))
        if manifest.environment.machine is not None and key not in seen:
            seen.add(key)
            for name, value in _facts(manifest):
                if value is not None:
                    found.setdefault(name, set()).add(str(value))
    return found


def differing(base: Facts, new: Facts) -> list[Differing]:
    """Every fact whose values differ, in alphabetical order; absent environments come first."""
    ours, theirs = _environments(base), _environments(new)
    lines = [
        Differing(f"environment {name}", _ran(name in ours), _ran(name in theirs))
        for name in sorted(ours ^ theirs)
    ]
    return lines + [
        Differing(name, _shown(base.get(name)), _shown(new.get(name)))
        for name in sorted({*base, *new})
        if base.get(name) != new.get(name) and _environment(name) not in ours ^ theirs
    ]


def condensed(found: Sequence[Differing]) -> list[Differing]:
    """Packages that only one side has are one line for each environment and side."""
    lines: list[Differing] = []
    extra: dict[tuple[str, bool], list[str]] = {}
    for item in found:
        image, separator, package = item.what.partition(_OF)
        alone = NOTHING in (item.base, item.new) and item.base != item.new
        if separator and alone and package[:1] != "$" and package not in _NO_PACKAGES:
            version = item.new if item.base == NOTHING else item.base
            extra.setdefault((image, item.base == NOTHING), []).append(f"{package} {version}")
        else:
            lines.append(item)
    for (image, new_only), packages in extra.items():
        told = f"{len(packages)}: {', '.join(packages)}"
        sides = (NOTHING, told) if new_only else (told, NOTHING)
        lines.append(Differing(f"{image}: packages that the other lacks", *sides))
    return lines


def _environments(found: Facts) -> set[str]:
    return {_environment(name) for name in found} - {""}


def _environment(name: str) -> str:
    """The image that a fact is about; empty for a fact about the machine or the version."""
    image, separator, _ = name.partition(_OF)
    return image if separator else ""


def _ran(there: bool) -> str:
    return "ran" if there else "did not run"


def _shown(values: set[str] | None) -> str:
    return ", ".join(sorted(values)) if values else NOTHING


def _facts(manifest: Manifest) -> Iterator[tuple[str, object]]:
    environment, context = manifest.environment, manifest.context
    image = context.image.name if context is not None else manifest.cell.framework
    yield from _machine(environment)
    yield from _limits(environment.limits)
    yield from _conditions(environment.conditions)
    if manifest.telemetry is not None:
        yield from (("gpu used", uuid) for uuid in manifest.telemetry.gpu_uuids)
    yield "threads", environment.threads
    yield f"{image}{_OF}python", environment.python
    for name, version in environment.packages.items():
        yield f"{image}{_OF}{name}", version
    for name, text in kept(environment.variables).items():  # earlier versions kept others too
        yield f"{image}{_OF}${name}", redacted(text)
    if context is not None:
        yield "engine", context.engine
        yield f"{image}{_OF}lock", context.image.lock_sha256
        yield f"{image}{_OF}digest", context.image.digest
        yield f"{image}{_OF}base", context.image.base_digest
        unhashed = ", ".join(context.image.unhashed)
        yield f"{image}{_OF}packages taken without a known hash", unhashed or None
        yield "kit", context.kit.short


def _limits(limits: Limits | None) -> Iterator[tuple[str, object]]:
    """What held cells back; nothing where nothing did, nor where nobody had asked."""
    if limits is None:
        return
    yield "processor quota", limits.quota_cpus
    yield "memory limit", limits.memory_bytes
    yield "nice", limits.nice or None
    yield "scheduling", limits.policy if limits.policy != "other" else None
    if limits.affinity:
        held = ",".join(map(str, limits.affinity))
        yield "held to processors", f"{held} of {limits.cpus_online}"


def _conditions(conditions: Conditions | None) -> Iterator[tuple[str, object]]:
    """How the machine was set; load and pressure are others' at one moment, and left out."""
    if conditions is None:
        return
    yield "frequency driver", conditions.frequency_driver
    yield "governor", ", ".join(conditions.governors or ()) or None
    yield "energy preference", ", ".join(conditions.energy_preferences or ()) or None
    yield "boost", _on(conditions.boost)
    yield "SMT", _on(conditions.smt)
    yield "NUMA nodes", conditions.numa_nodes
    yield "NUMA balancing", _on(conditions.numa_balancing)
    yield "address randomization", conditions.address_randomization
    yield "transparent huge pages", conditions.huge_pages
    yield "clock source", conditions.clock_source


def _on(switch: bool | None) -> str | None:
    return None if switch is None else "on" if switch else "off"


def _machine(environment: Environment) -> Iterator[tuple[str, object]]:
    machine = environment.machine
    if machine is None:
        return
    yield "processor", machine.cpu
    yield "processors", machine.cpus
    yield "instruction sets", " ".join(machine.instruction_sets)
    yield "memory", machine.memory_bytes
    yield "system", f"{machine.system} {machine.architecture}"
    yield "virtual machine", machine.hypervisor
    for gpu in machine.gpus:
        yield "gpu", gpu.name
        yield "gpu driver", gpu.driver
        yield "gpu power limit", gpu.power_limit_w
