"""The exit status that a run ends with, the same for every face."""

from __future__ import annotations

from collections.abc import Collection

from manifests.manifest import Manifest, Status

FAILED: frozenset[Status] = frozenset(["crashed", "oom", "timeout", "cancelled"])


def status_of(manifest: Manifest) -> Status:
    """Of a probe that crashed or took too long, that is what was to be found out."""
    found = manifest.cell.task == "probe" and manifest.status in ("crashed", "timeout", "oom")
    return "ok" if found and not manifest.transient else manifest.status


def exit_status(
    statuses: Collection[Status | None],
    broken: Collection[str],
    images_missing: Collection[str],
    failed: Collection[Status] = FAILED,
) -> int:
    """1 when a cell failed or something that should work is broken, 3 when nothing could run.

    ``statuses`` are those of all chosen cells, those that had ended before included; None is one
    without a manifest. ``broken`` are cells that an environment, a container runtime or changed
    weights kept from running. Beside others, cells that this machine can't run are results.
    """
    if broken or any(status in failed for status in statuses):
        return 1
    if all(status == "unsupported" for status in statuses) and (statuses or images_missing):
        return 3
    return 1 if images_missing else 0
