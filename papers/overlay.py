"""A study that ``extends`` another: what it gives replaces or adds to what the other has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ADDED = ("cells", "unspecified", "ladder")
"""Lists whose entries come after those of the study below; other lists take their place."""


def laid_over(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """``study.toml`` of both as one."""
    merged = {**base, **_inside(base, own)}
    for name in ADDED:
        both = [one for one in (base.get(name), own.get(name)) if one is not None]
        if both and all(isinstance(one, list) for one in both):
            merged[name] = [entry for one in both for entry in one]
    merged.setdefault("cells_of", base.get("id", ""))
    return merged


def _inside(base: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are laid over one another key by key; everything else takes the other's place."""
    return {
        name: {**base[name], **_inside(base[name], value)}
        if isinstance(value, dict) and isinstance(base.get(name), dict)
        else value
        for name, value in own.items()
    }


def offsets(base: Mapping[str, Any]) -> dict[str, int]:
    """How many entries of each added list are the other study's."""
    return {name: len(base[name]) for name in ADDED if isinstance(base.get(name), list)}
