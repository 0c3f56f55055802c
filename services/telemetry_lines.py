"""Telemetry for a reader: its summary as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from comparisons.render.values import NONE, number
from manifests.telemetry_summary import PhaseTelemetry, Telemetry
from services.phrases import printable, size
from services.tables import FittedTable, table

# Ending of a reading's name: the unit that is shown, and how many of its own make one of it.
_UNITS = {"_percent": ("%", 1.0), "_w": ("W", 1.0), "_c": ("°C", 1.0), "_hz": ("MHz", 1e6)}


def describe_telemetry(telemetry: Telemetry) -> Iterator[str | FittedTable]:
    """Mean (and maximum) of each reading by phase, energy, throttling, and what is missing."""
    if telemetry.phases:
        phases = telemetry.by_phase()
        columns = ("reading, mean (max)", *(printable(phase.name) for phase in phases))
        yield table("Telemetry", columns, list(_rows(telemetry, phases)), right=columns[1:])
        yield _origin(telemetry)
    if telemetry.reason:
        yield f"telemetry: {printable(telemetry.reason)}"
    for key, why in telemetry.reasons.items():
        yield f"not read: {printable(key)}: {printable(why)}"


def _origin(telemetry: Telemetry) -> str:
    every = f", every {telemetry.interval_s:g} s" if telemetry.interval_s else ""
    kept = f", one in {telemetry.kept_every} kept" if telemetry.kept_every > 1 else ""
    return f"{telemetry.path or 'no file'}: {telemetry.samples} samples{every}{kept}"


def _rows(telemetry: Telemetry, phases: list[PhaseTelemetry]) -> Iterator[tuple[str, ...]]:
    yield ("seconds", *(f"{phase.seconds:.2f}" for phase in phases))
    yield ("samples", *(str(phase.samples) for phase in phases))
    for key in telemetry.readings:
        label, words = _scale(key)
        yield (label, *(_reading(phase, key, words) for phase in phases))
    for device in telemetry.energy:
        yield (f"{device} energy, J", *(_energy(phase, device) for phase in phases))
    for device in telemetry.throttle_share:
        shares = (phase.throttle_share[device] for phase in phases)
        yield (f"{device} throttled", *(NONE if s is None else f"{s:.0%}" for s in shares))


def _scale(key: str) -> tuple[str, Callable[[float], str]]:
    """What a reading is called with its unit, and how its values are written."""
    if key.endswith("_bytes"):
        return printable(key.removesuffix("_bytes")), lambda value: size(round(value))
    for ending, (unit, of) in _UNITS.items():
        if key.endswith(ending):
            return (
                f"{printable(key.removesuffix(ending))}, {unit}",
                lambda v, of=of: f"{v / of:.4g}",
            )
    return printable(key), number


def _reading(phase: PhaseTelemetry, key: str, words: Callable[[float], str]) -> str:
    found = phase.readings.get(key)
    return NONE if found is None else f"{words(found.mean)} ({words(found.max)})"


def _energy(phase: PhaseTelemetry, device: str) -> str:
    found = phase.energy.get(device)
    return NONE if found is None else number(found.energy_j)
