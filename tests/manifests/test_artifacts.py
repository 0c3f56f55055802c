"""Files that a cell left: whatever was changed is found, and named."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from manifests.artifacts import fault, faults
from manifests.cell import sha256_hex
from manifests.manifest import Artifact
from manifests.telemetry_summary import Telemetry
from tests.manifests.samples import a_manifest

DATA = b"0123456789"
ARTIFACT = Artifact(path="weights.pt", kind="test", size_bytes=10, sha256=sha256_hex(DATA))


def told(folder: Path) -> str:
    found = fault(folder, ARTIFACT)
    return found.text if found else ""


@given(st.binary(max_size=20))
def test_other_bytes_are_found_and_the_same_are_not(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "weights.pt").write_bytes(data)
        assert bool(told(Path(folder))) == (data != DATA)


def test_what_is_wrong_is_said_by_name(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    assert told(tmp_path) == "weights.pt is missing"
    path.write_bytes(DATA[:-1])
    assert told(tmp_path) == "weights.pt has 9 bytes; its manifest says 10"
    path.write_bytes(DATA[:-1] + b"8")
    assert told(tmp_path) == ("weights.pt was changed: its SHA-256 is not the one in its manifest")
    path.write_bytes(DATA)
    assert told(tmp_path) == ""


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_not_a_file_is_not_waited_for(tmp_path: Path, make: object) -> None:
    make(tmp_path / "weights.pt")  # type: ignore[operator]
    assert told(tmp_path) == "weights.pt is not a file"


def test_a_link_that_leads_nowhere_is_missing(tmp_path: Path) -> None:
    (tmp_path / "weights.pt").symlink_to(tmp_path / "nowhere")
    found = fault(tmp_path, ARTIFACT)
    assert found is not None and found.missing


def test_telemetry_is_held_against_its_hash_where_it_is_there(tmp_path: Path) -> None:
    telemetry = Telemetry(path="telemetry.jsonl", samples=1, sha256=sha256_hex(b"{}\n"))
    manifest = a_manifest(telemetry=telemetry, artifacts=[])
    assert faults(tmp_path, manifest) == []
    (tmp_path / "telemetry.jsonl").write_bytes(b"{}\n")
    assert faults(tmp_path, manifest) == []
    (tmp_path / "telemetry.jsonl").write_bytes(b"{ }\n")
    (wrong,) = faults(tmp_path, manifest)
    assert wrong.text.startswith("telemetry.jsonl was changed")
