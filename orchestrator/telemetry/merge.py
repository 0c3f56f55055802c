"""Putting what was recorded into the manifest that a runner left."""

from __future__ import annotations

import msgspec

from manifests.flags import impossible_flags
from manifests.manifest import Environment, Gpu, Manifest
from orchestrator.telemetry.recorder import Record


def completed(manifest: Manifest, record: Record | None) -> Manifest:
    """The manifest with telemetry, its flags and metrics, and the GPUs as NVML describes them."""
    if record is None:
        return manifest
    return msgspec.structs.replace(
        manifest,
        telemetry=record.telemetry,
        flags=[
            *manifest.flags,
            *record.flags,
            *impossible_flags(record.metrics, manifest.environment.machine),
        ],
        metrics=[*manifest.metrics, *record.metrics],
        environment=_with_gpus(manifest.environment, record.gpus),
    )


def _with_gpus(environment: Environment, gpus: list[Gpu]) -> Environment:
    """The kernel's driver tells only names; NVML tells more, where it tells anything."""
    if environment.machine is None or not gpus:
        return environment
    machine = msgspec.structs.replace(environment.machine, gpus=gpus)
    return msgspec.structs.replace(environment, machine=machine)
