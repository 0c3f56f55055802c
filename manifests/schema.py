"""The exported JSON Schema of the manifest: ``python -m manifests.schema`` rewrites it."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from manifests.files import write_atomically
from manifests.manifest import SCHEMA, Manifest

SCHEMA_FILE = Path(__file__).with_name("manifest.schema.json")


def json_schema() -> bytes:
    """The JSON Schema (2020-12) of a manifest, as the bytes of the exported file."""
    schema = msgspec.json.schema(Manifest)
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": SCHEMA, **schema}
    return json.dumps(schema, indent=1, sort_keys=True).encode() + b"\n"


if __name__ == "__main__":
    write_atomically(SCHEMA_FILE, json_schema())
