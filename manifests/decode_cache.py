"""Decoding manifests of one run quickly: what they all repeat is decoded once.

Environment, context, inputs and proof are most of a manifest's keys and the same in many
manifests of a run. They are kept as raw bytes at first, and equal bytes share one decoded object.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import msgspec

from manifests.manifest import Context, Environment, Inputs, Manifest, Proof

_REPEATING = {
    "environment": Environment, "context": Optional[Context], "inputs": Inputs,
    "proof": Optional[Proof],
}  # fmt: skip
_MOST_KEPT = 1000

_FIELDS = msgspec.structs.fields(Manifest)
_NAMES = [field.name for field in _FIELDS]


# What this version writes names every field, so that none needs a default here.
_Lean = msgspec.defstruct(
    "_Lean",
    [(field.name, msgspec.Raw if field.name in _REPEATING else field.type) for field in _FIELDS],
    frozen=True,
    kw_only=True,
    gc=False,
)
_decoder = msgspec.json.Decoder(_Lean)
_encoder = msgspec.json.Encoder()
_parts = {name: msgspec.json.Decoder(kind) for name, kind in _REPEATING.items()}
_known: Dict[Tuple[str, bytes], Any] = {}


def decode(data: bytes) -> Optional[Manifest]:
    """The manifest, when ``data`` is exactly what this version writes for it, else None.

    None also for what is no manifest at all: the careful way then says what is wrong.
    """
    try:
        lean = _decoder.decode(data)
        if _encoder.encode(lean) + b"\n" != data:
            return None
        values = {name: getattr(lean, name) for name in _NAMES}
        for name in _REPEATING:
            values[name] = _part(name, bytes(values[name]))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError, ValueError):
        return None
    return Manifest(**values)


def _part(name: str, raw: bytes) -> Any:
    """Raises ValueError unless ``raw`` is what this version writes for it."""
    key = (name, raw)
    if key not in _known:
        part = _parts[name].decode(raw)
        if _encoder.encode(part) != raw:
            raise ValueError(name)
        if len(_known) >= _MOST_KEPT:
            _known.clear()
        _known[key] = part
    return _known[key]
