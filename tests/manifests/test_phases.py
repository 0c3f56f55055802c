"""The table of telemetry in a manifest, and what is read out of it."""

from __future__ import annotations

import msgspec

from manifests import decode_cache
from manifests.codec import decode_manifest, encode_manifest
from manifests.telemetry_summary import (
    Energy,
    PhaseTelemetry,
    Reading,
    Readings,
    Telemetry,
    tabulated,
)
from tests.manifests.samples import a_manifest

BUILD = PhaseTelemetry("build", 0.1, 0, {}, {"gpus/0": Energy(energy_j=2.0, method="none")}, {})
MEASURE = PhaseTelemetry(
    "measure",
    2.5,
    12,
    {"host/cpu_percent": Reading(50.0, 75.0)},
    {"gpus/0": Energy(energy_j=None, method="none", reason="lost")},
    {"gpus/0": None},
)
TABLE = tabulated(Telemetry(path="telemetry.jsonl", samples=12), [BUILD, MEASURE])


def test_phases_are_columns() -> None:
    assert (
        Telemetry(
            path="telemetry.jsonl",
            samples=12,
            phases=["build", "measure"],
            seconds=[0.1, 2.5],
            phase_samples=[0, 12],
            readings={"host/cpu_percent": Readings(mean=[None, 50.0], max=[None, 75.0])},
            energy={
                "gpus/0": [
                    Energy(energy_j=2.0, method="none"),
                    Energy(energy_j=None, method="none", reason="lost"),
                ]
            },
            throttle_share={"gpus/0": [None, None]},
        )
        == TABLE
    )


def test_a_phase_is_read_as_it_was() -> None:
    assert TABLE.phase("measure") == MEASURE
    assert TABLE.phase("train") is None
    assert TABLE.by_phase() == [BUILD._replace(throttle_share={"gpus/0": None}), MEASURE]


def test_a_manifest_with_telemetry_is_read_the_quick_way() -> None:
    written = encode_manifest(a_manifest(telemetry=TABLE))
    quick = decode_cache.decode(written)
    assert quick is not None and quick.telemetry == TABLE
    assert decode_manifest(written) == quick


def test_a_manifest_from_before_telemetry_is_read_still() -> None:
    plain = a_manifest()
    data = msgspec.json.decode(encode_manifest(plain))
    del data["telemetry"]
    assert decode_manifest(msgspec.json.encode(data)) == plain
    data["telemetry"] = {"path": "telemetry.jsonl", "samples": 3, "summary": {"power_w": 1.5}}
    found = decode_manifest(msgspec.json.encode(data)).telemetry
    assert found == Telemetry(path="telemetry.jsonl", samples=3)
