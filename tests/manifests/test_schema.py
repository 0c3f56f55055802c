"""The exported JSON Schema is the one that the types describe."""

from __future__ import annotations

import json

import msgspec
import pytest

from manifests.manifest import Manifest
from manifests.schema import SCHEMA_FILE, json_schema

# Older releases of msgspec describe the same types in other words.
WRITTEN_BY = (0, 22)


def test_the_exported_schema_is_current() -> None:
    if tuple(map(int, msgspec.__version__.split(".")[:2])) < WRITTEN_BY:
        pytest.skip(f"msgspec {msgspec.__version__} is older than the one that exported it")
    assert SCHEMA_FILE.read_bytes() == json_schema(), "run: python -m manifests.schema"


def test_the_schema_says_which_one_it_is() -> None:
    schema = json.loads(SCHEMA_FILE.read_bytes())
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == "repliquant/manifest/1"
    assert schema["$ref"] == "#/$defs/Manifest"


def test_the_schema_names_every_field_of_a_manifest() -> None:
    described = json.loads(SCHEMA_FILE.read_bytes())["$defs"]["Manifest"]
    assert set(described["properties"]) == set(Manifest.__struct_fields__)
    assert described["required"] == [
        "id", "cell", "status", "reason", "started_at", "wall_s", "metrics", "environment",
        "inputs",
    ]  # fmt: skip
