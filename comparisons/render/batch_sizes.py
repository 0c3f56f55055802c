"""The batch size to choose for each way to call a model, in words and as data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from comparisons.best_batches import NEAR, BestBatch, Rate
from comparisons.render.speedups import configuration
from comparisons.render.values import number

HEADER = ["configuration", "technique", "best throughput", f"smallest within {NEAR:.0%}"]
_SHOWN = ("model", "image_size", "framework", "device")


def header(limit_ms: float | None) -> list[str]:
    """With a column for the limit where there is one."""
    return [*HEADER, *([f"best within {limit_ms:g} ms"] if limit_ms is not None else []), "flags"]


def row(item: BestBatch) -> list[str]:
    """In the order of the header."""
    point = {name: item.way[name] for name in _SHOWN}
    if item.way["seed"] != "0":
        point["seed"] = item.way["seed"]
    if item.way["protocol"] != "rigorous":
        point["protocol"] = item.way["protocol"]
    shown = [item.best, item.smallest]
    limited = [] if item.limit_ms is None else [item.within_limit]
    flags = dict.fromkeys(flag for rate in item.rates for flag in rate.flags)
    return [
        configuration(point), f"{item.way['technique']} {item.way['variant']}".rstrip(),
        *(_told(rate) for rate in [*shown, *limited]), ", ".join(flags),
    ]  # fmt: skip


def _told(rate: Rate | None) -> str:
    if rate is None:
        return "no batch size"
    return f"batch {rate.batch}: {number(rate.items_per_s)}/s, {number(rate.latency_ms)} ms"


def plain(item: BestBatch) -> dict[str, Any]:
    """For ``--json``."""
    limited = None if item.limit_ms is None else item.within_limit
    return {
        **item.way,
        "image_size": int(item.way["image_size"]),
        "seed": int(item.way["seed"]),
        "rates": [rate._asdict() for rate in item.rates],
        "best_batch": item.best.batch,
        "smallest_batch": item.smallest.batch,
        "limit_ms": item.limit_ms,
        "best_batch_within_limit": limited.batch if limited else None,
    }


def legend(found: Sequence[BestBatch]) -> str:
    """What the columns say; nothing where there are no rows."""
    if not found:
        return ""
    return (
        "Images a second and the latency of a call, by the medians of processes. Smallest: of the "
        f"batch sizes that were measured, the first with at least {1 - NEAR:.0%} of the best "
        "throughput."
    )
