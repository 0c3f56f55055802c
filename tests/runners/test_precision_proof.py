"""The proof by count and by time, and a call taken apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from runners.job import Job
from runners.precision_proof import (
    Operation,
    ProfiledCall,
    latency_of,
    record_call,
    record_proof,
)
from tests.runners.samples import a_job

MIXED = [
    Operation("QLinearConv", "int8", 3, 0.003),
    Operation("Conv", "float32", 1, 0.009),
    Operation("Relu", None, 4, 0.002),
]


def value(job: Job, name: str, label: str = "") -> float | None:
    (found,) = [m for m in job.metrics if (m.name, m.label) == (name, label)]
    (sample,) = found.samples
    return sample


def test_count_and_time_tell_different_things(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    record_proof(job, "int8", MIXED, "a profile")
    assert value(job, "promised_time_share") == 0.25
    assert job.proof is not None and job.proof.coverage == 0.75
    assert job.proof.operations == {"int8": {"QLinearConv": 3}, "float32": {"Conv": 1}}
    assert job.proof.fallback == ["Conv x1 in float32"]


def test_what_was_not_seen_is_missing_with_a_reason(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    record_proof(job, "int8", [Operation("Relu", None, 1)], "a profile")
    assert job.proof is not None and job.proof.coverage is None
    assert value(job, "promised_time_share") is None
    assert [metric.reason for metric in job.metrics] == ["no operation was timed"]


def test_operations_outside_and_profiling_are_the_latency(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    job.record("latency_s", [0.021, 0.020, 0.030])
    latency = latency_of(job)
    record_call(job, MIXED, ProfiledCall(0.015, 0.025), latency, "a profile")
    assert latency == 0.021
    operations = sum(value(job, "op_time_s", one.name) or 0 for one in MIXED)
    outside, profiling = value(job, "outside_operations_s"), value(job, "profiling_s")
    assert outside == pytest.approx(0.011) and profiling == pytest.approx(0.004)
    assert outside is not None and profiling is not None
    assert operations + outside - profiling == pytest.approx(latency)


def test_without_a_latency_nobody_knows_what_profiling_costs(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    record_call(job, MIXED, ProfiledCall(0.015, 0.025), latency_of(job), "a profile")
    assert [m.name for m in job.metrics if m.name == "profiling_s"] == []
