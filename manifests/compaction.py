"""Holding very many manifests: less than half the memory, and nothing read from them changes.

Numbers are held as arrays of doubles, and what the manifests of a run repeat is held once.
"""

from __future__ import annotations

import array
import sys
from typing import Any, Dict, List, Tuple, TypeVar

import msgspec

from manifests.manifest import Manifest
from manifests.telemetry_summary import Readings

FEW_NUMBERS = 3
"""An array of fewer takes more room than it saves."""

_CELL_WORDS = (
    "study", "task", "framework", "technique", "model", "dataset", "protocol", "tier", "device",
)  # fmt: skip
_MOST_KEPT = 10_000

_T = TypeVar("_T")
_set = msgspec.structs.force_setattr
_encoder = msgspec.json.Encoder()
_known: Dict[Tuple[type, bytes], Any] = {}


def compact(manifest: Manifest) -> None:
    """Change how it is held, in place."""
    for metric in manifest.metrics:
        _share_words(metric, ("name", "unit", "source", "label"))
        _set(metric, "samples", _dense(metric.samples))
    _set(manifest, "phases", [_shared_name(phase) for phase in manifest.phases])
    _share(manifest, ("proof",))
    _share(manifest.inputs, ("dataset", "seeds"))
    _share_words(manifest.cell, _CELL_WORDS)
    _share(manifest.cell, ("recipe",))
    if manifest.telemetry is not None:
        _share(manifest.telemetry, ("gpus", "phases", "energy", "throttle_share", "reasons"))
        _set(manifest.telemetry, "readings", _columns(manifest.telemetry.readings))


def _shared_name(struct: _T) -> _T:
    _share_words(struct, ("name",))
    return struct


def _share_words(struct: Any, names: Tuple[str, ...]) -> None:
    for name in names:
        _set(struct, name, sys.intern(getattr(struct, name)))


def _share(struct: Any, names: Tuple[str, ...]) -> None:
    """Values that are written alike become one object; none of them is ever changed."""
    if len(_known) > _MOST_KEPT:
        _known.clear()
    for name in names:
        value = getattr(struct, name)
        if value is not None:
            _set(struct, name, _known.setdefault((type(value), _encoder.encode(value)), value))


def _dense(values: List[Any]) -> Any:
    """Only what is read from the array as it was: an integer would come back as a float."""
    if len(values) > FEW_NUMBERS and set(map(type, values)) == {float}:
        return array.array("d", values)
    return values


def _columns(readings: Dict[str, Readings]) -> Dict[str, Readings]:
    return {
        sys.intern(key): Readings(mean=_dense(column.mean), max=_dense(column.max))
        for key, column in readings.items()
    }
