"""Telemetry as a reader sees it: show and doctor."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from manifests.manifest import Gpu
from manifests.telemetry_summary import Energy, PhaseTelemetry, Reading, Telemetry, tabulated
from services.gpu_lines import gpu_words
from services.telemetry_lines import describe_telemetry
from tests.conftest import Workshop
from tests.orchestrator.reading import manifests

START = PhaseTelemetry("start", 0.5, 2, {}, {}, {})
MEASURE = PhaseTelemetry(
    "measure",
    12.25,
    61,
    {
        "host/cpu_percent": Reading(50.0, 75.25),
        "gpus/0/memory_used_bytes": Reading(2.0**30, 2.0**31),
        "gpus/0/sm_clock_hz": Reading(1.5e9, 1.8e9),
    },
    {"gpus/0": Energy(energy_j=1234.5, method="counter-difference")},
    {"gpus/0": 0.25},
)


def lines(telemetry: Telemetry) -> list[str]:
    console = Console(width=120)
    with console.capture() as capture:
        for part in describe_telemetry(telemetry):
            console.print(part, markup=False)
    return [" ".join(line.split()) for line in capture.get().splitlines()]


def test_a_summary_is_a_table_by_phase() -> None:
    summary = Telemetry(
        path="telemetry.jsonl",
        samples=63,
        interval_s=0.2,
        kept_every=2,
        reasons={"gpus/0/energy\x1b": "NVML: [b]Not[/b] Supported"},
    )
    found = lines(tabulated(summary, [START, MEASURE]))
    for line in (
        "telemetry.jsonl: 63 samples, every 0.2 s, one in 2 kept",
        "reading, mean (max) start measure",
        "seconds 0.50 12.25",
        "samples 2 61",
        "host/cpu, % – 50 (75.25)",
        "gpus/0/memory_used – 1.0 GiB (2.0 GiB)",
        "gpus/0/sm_clock, MHz – 1500 (1800)",
        "gpus/0 energy, J – 1,234",
        "gpus/0 throttled – 25%",
        "not read: gpus/0/energy�: NVML: [b]Not[/b] Supported",
    ):
        assert line in found, (line, found)


def test_without_a_series_there_is_the_reason() -> None:
    assert lines(Telemetry(path="", samples=0, reason="it ran elsewhere")) == [
        "telemetry: it ran elsewhere"
    ]


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({}, "A"),
        (
            {"index": 3, "memory_bytes": 2**33, "driver": "570.1", "cuda": "12.8",
             "power_limit_w": 160.0, "mig": True},
            "3: A, 8.0 GiB, driver 570.1, CUDA 12.8, limit 160 W, divided by MIG",
        ),
    ],
)  # fmt: skip
def test_a_gpu_in_one_line(known: dict[str, Any], words: str) -> None:
    assert gpu_words(Gpu(name="A", **known)) == words


def test_show_prints_it(workshop: Workshop) -> None:
    workshop.run("-k", "alpha and train")
    (manifest,) = manifests(workshop).values()
    told = workshop("show", manifest.id).stdout
    assert "telemetry.jsonl: " in told
    assert "host/memory_used" in told
    assert "set to" in told and "ASLR" in told


def test_doctor_says_what_can_not_be_read(workshop: Workshop) -> None:
    told = workshop("doctor", "--verbose").stdout
    assert "telemetry" in told
