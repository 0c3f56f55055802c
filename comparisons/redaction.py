"""What is left out when a run is given away: credentials, and variables that change no number.

Runs of earlier versions kept every variable with a known prefix, secrets among them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from manifests.codec import encode_manifest
from manifests.credentials import cleaned, redacted_bytes
from manifests.manifest import Manifest

_CREDENTIALS = "credentials"
_VARIABLE = "variable "
_AS_THEY_ARE = ("manifest.json", "cell.json", "telemetry.jsonl")
"""Manifests are cleaned by their fields, a cell is its id, and of a series the hash is recorded."""


class Redacted(NamedTuple):
    """Manifests that may be given away. ``left_out`` says by cell what went, where anything did."""

    manifests: list[Manifest]
    left_out: dict[str, list[str]]


def redact(manifests: Sequence[Manifest]) -> Redacted:
    """The manifests as others may see them; those with nothing to hide are the same objects."""
    kept, left_out = [], {}
    for manifest in manifests:
        found = cleaned(manifest)
        kept.append(found.manifest)
        if found.changed:
            left_out[manifest.id] = [
                *(f"{_VARIABLE}{name}" for name in found.variables),
                *(f"{_CREDENTIALS} in {place}" for place in dict.fromkeys(found.texts)),
            ]
    return Redacted(kept, left_out)


def copies(files: Mapping[str, bytes], known: Redacted) -> dict[str, tuple[bytes, list[str]]]:
    """Files of cells (``cells/ID/NAME``) that can't go as they are: the copy, and what it lacks."""
    found: dict[str, tuple[bytes, list[str]]] = {}
    manifests = {manifest.id: manifest for manifest in known.manifests}
    for place, data in files.items():
        _, cell, name = place.split("/")
        if name == "manifest.json" and cell in known.left_out:
            found[place] = encode_manifest(manifests[cell]), known.left_out[cell]
        elif name not in _AS_THEY_ARE:
            changed = redacted_bytes(data)
            if changed is not None:
                found[place] = changed, [_CREDENTIALS]
    return found


def sentence(left_out: Mapping[str, Sequence[str]]) -> str:
    """For people: which variables went, and from how many places credentials did."""
    every = [what for places in left_out.values() for what in places]
    names = sorted({what.removeprefix(_VARIABLE) for what in every if what.startswith(_VARIABLE)})
    texts = sum(not what.startswith(_VARIABLE) for what in every)
    parts = []
    if names:
        parts.append(f"variables that change no number ({', '.join(names)})")
    if texts:
        parts.append(f"credentials in {texts} {'place' if texts == 1 else 'places'}")
    return f"left out: {' and '.join(parts)}. The run's own files still hold them"
