"""Which flags forbid a verdict, and which numbers each of them is about."""

from __future__ import annotations

import msgspec
import pytest

from manifests.codec import decode_manifest, encode_manifest
from manifests.flags import (
    FLAGS,
    PHASES,
    concerns,
    disqualifies,
    flags_of,
    impossible_in,
)
from manifests.manifest import Environment, Flag, Gpu, Machine, Metric
from manifests.metrics import METRICS
from tests.manifests.samples import a_manifest

EXACT = ("model_size_bytes", "parameters", "accuracy", "train_loss", "peak_memory_bytes")


def test_every_flag_and_phase_is_about_metrics_that_there_are() -> None:
    for names in (*(info.concerns for info in FLAGS.values()), *PHASES.values()):
        assert names and set(names) <= set(METRICS)


@pytest.mark.parametrize("metric", EXACT)
def test_what_disturbs_a_time_says_nothing_of_a_size_or_an_accuracy(metric: str) -> None:
    about = {name for name in FLAGS if concerns(Flag(name=name, detail=""), metric)}
    timing = {"high-variation", "drift", "busy-machine", "clock-throttled", "suspended",
              "quota-throttled", "clock-stepped", "gpu-throttled", "foreign-gpu-process",
              "skipped-steps", "few-samples"}  # fmt: skip
    assert not about & timing


def test_the_spread_of_a_call_says_nothing_of_a_training() -> None:
    flags = [Flag(name="drift", detail=""), Flag(name="busy-machine", detail="")]
    manifest = a_manifest(flags=flags)
    assert flags_of(manifest, "latency_s") == ["busy-machine", "drift"]
    assert flags_of(manifest, "train_step_s") == ["busy-machine"]


def test_a_flag_that_names_its_metrics_is_about_no_other() -> None:
    flag = Flag(name="busy-machine", detail="", metrics=["end_to_end_s"])
    assert concerns(flag, "end_to_end_s") and not concerns(flag, "latency_s")


def test_a_flag_that_is_not_known_forbids_a_verdict() -> None:
    assert disqualifies("of-a-later-version") and disqualifies("busy-machine")
    assert not disqualifies("few-samples") and not disqualifies("simulated-quantization")


def test_a_flag_without_metrics_is_written_as_ever() -> None:
    data = encode_manifest(a_manifest(flags=[Flag(name="drift", detail="x")]))
    assert b'"flags":[{"name":"drift","detail":"x"}]' in data
    named = a_manifest(flags=[Flag(name="drift", detail="x", metrics=["end_to_end_s"])])
    assert decode_manifest(encode_manifest(named)) == named


def test_no_process_holds_more_than_the_machine_has() -> None:
    gpu = Gpu(name="a GPU", memory_bytes=8)
    machine = Machine(
        system="Linux", architecture="x86_64", cpu="one", cpus=2, instruction_sets=[],
        memory_bytes=16, gpus=[gpu],
    )  # fmt: skip
    manifest = a_manifest(environment=Environment(machine=machine))
    held = Metric(name="peak_memory_bytes", unit="bytes", samples=[16])
    assert impossible_in(manifest, held) == ""
    more = msgspec.structs.replace(held, samples=[17])
    assert impossible_in(manifest, more) == "peak memory can't be 17: the machine has 16 bytes"
    on_gpu = msgspec.structs.replace(held, samples=[9], label="GPU 0")
    assert impossible_in(manifest, on_gpu) == "peak memory can't be 9: the machine has 8 bytes"
    assert impossible_in(a_manifest(), more) == ""
