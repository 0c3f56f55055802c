"""What a technique is given, and what it leaves."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from manifests import event
from manifests.artifacts import file_sha256
from manifests.codec import write_manifest
from manifests.flags import PHASES
from manifests.manifest import Artifact, Flag
from runners.failures import DamagedInput, classify
from runners.starting_weights import Weights
from tests.manifests.samples import a_manifest
from tests.runners.samples import a_job, events_of

NOTHING = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_what_the_cell_was_not_given_is_named(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    with pytest.raises(ValueError, match="start the runner with --data DIR"):
        _ = job.data
    with pytest.raises(ValueError, match="start the runner with --weights DIR"):
        _ = job.weights


def test_a_phase_is_announced_and_timed_also_when_it_fails(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    with pytest.raises(MemoryError), job.phase("convert"):
        raise MemoryError
    with job.phase("measure"):
        pass
    assert [phase.name for phase in job.phases] == ["convert", "measure"]
    assert [one.name for one in events_of(job) if isinstance(one, event.Phase)] == [
        "convert", "measure",
    ]  # fmt: skip
    assert job.last_phase_s("convert") == job.phases[0].seconds


@pytest.mark.parametrize("phase", ["train", "calibrate", "profile"])
def test_what_disturbs_a_phase_is_about_the_times_of_that_phase(tmp_path: Path, phase: str) -> None:
    job = a_job(tmp_path)
    with pytest.raises(MemoryError), job.phase(phase):
        os.kill(os.getpid(), signal.SIGCONT)
        raise MemoryError
    (found,) = [flag.metrics for flag in job.flags if flag.name == "suspended"]
    assert found == list(PHASES[phase])


@pytest.mark.parametrize("phase", ["import", "measure", "end-to-end"])
def test_phases_without_a_time_or_with_a_watch_of_their_own_are_not_judged_again(
    tmp_path: Path, phase: str
) -> None:
    job = a_job(tmp_path)
    with job.phase(phase):
        os.kill(os.getpid(), signal.SIGCONT)
    assert job.flags == []


def test_a_metric_takes_its_unit_from_the_table(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    job.record("peak_memory_bytes", [None], source="allocator", reason="not told")
    (metric,) = job.metrics
    assert (metric.unit, metric.samples, metric.reason) == ("bytes", [None], "not told")


def test_a_metric_or_flag_without_a_meaning_is_refused(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    with pytest.raises(KeyError, match="speed"):
        job.record("speed", [1.0])
    with pytest.raises(KeyError, match="odd"):
        job.flag(Flag(name="odd", detail=""))
    assert (job.metrics, job.flags) == ([], [])


@pytest.mark.parametrize(
    ("name", "samples", "detail"),
    [
        ("latency_s", [0.1, -0.857, 0.1],
         "latency can't be -0.857: it has to be more than 0 (1 of 3 samples)"),
        ("latency_s", [0.0], "latency can't be 0: it has to be more than 0"),
        ("accuracy", [1.2], "accuracy can't be 1.2: it has to be at most 1"),
        ("accuracy", [-0.1], "accuracy can't be -0.1: it has to be at least 0"),
        ("model_size_bytes", [0], "model size can't be 0: it has to be more than 0"),
        ("energy_j", [-3.0], "energy can't be -3: it has to be at least 0"),
    ],
)  # fmt: skip
def test_what_can_not_be_is_kept_and_flagged(
    tmp_path: Path, name: str, samples: list[float], detail: str
) -> None:
    job = a_job(tmp_path)
    job.record(name, samples)
    assert job.metrics[0].samples == samples
    assert job.flags == [Flag(name="impossible-value", detail=detail, metrics=[name])]


@pytest.mark.parametrize("sample", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_missing_with_the_reason(tmp_path: Path, sample: float) -> None:
    job = a_job(tmp_path)
    job.record("train_loss", [2.5, sample])
    (metric,) = job.metrics
    assert metric.samples == [2.5, None]
    assert "no finite number (1 of 2 samples)" in metric.reason
    assert [flag.name for flag in job.flags] == ["impossible-value"]


def test_what_can_be_is_not_flagged(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    for name, samples in (
        ("latency_s", [1e-9]), ("accuracy", [0.0, 1.0]), ("op_time_s", [0.0]),
        ("energy_j", [0.0]), ("train_loss", [-1e-9, None]), ("peak_memory_bytes", [None]),
    ):  # fmt: skip
        job.record(name, samples)
    assert job.flags == []


def test_an_artifact_is_described_by_size_and_hash(tmp_path: Path) -> None:
    (tmp_path / "model.bin").write_bytes(b"")
    job = a_job(tmp_path)
    assert job.artifact("model.bin", "model") == tmp_path / "model.bin"
    (artifact,) = job.artifacts
    assert (artifact.path, artifact.kind) == ("model.bin", "model")
    assert (artifact.size_bytes, artifact.sha256) == (0, NOTHING)


def test_a_large_file_is_hashed_whole(tmp_path: Path) -> None:
    (tmp_path / "zeros").write_bytes(bytes(2**20 + 1))
    (tmp_path / "other").write_bytes(bytes(2**20) + b"\x01")
    assert file_sha256(tmp_path / "zeros") != file_sha256(tmp_path / "other")


def test_weights_that_are_missing_are_named(tmp_path: Path) -> None:
    (tmp_path / "weights.npz").write_bytes(b"")
    weights = Weights(tmp_path)
    assert weights.file("weights.npz") == tmp_path / "weights.npz"
    with pytest.raises(FileNotFoundError, match=r"model\.pt: the cell this one starts from left"):
        weights.file("model.pt")


def cell_that_left_weights(folder: Path) -> Weights:
    """A valid file of arrays, and the manifest that speaks of it."""
    np.savez(folder / "weights.npz", weight=np.ones(64, np.int8), scale=np.float32(0.5))
    path = folder / "weights.npz"
    artifact = Artifact(
        path=path.name, kind="test", size_bytes=path.stat().st_size, sha256=file_sha256(path)
    )
    write_manifest(folder / "manifest.json", a_manifest(artifacts=[artifact]))
    return Weights(folder)


def test_weights_that_are_as_recorded_are_given(tmp_path: Path) -> None:
    weights = cell_that_left_weights(tmp_path)
    assert weights.file("weights.npz") == tmp_path / "weights.npz"


def test_a_valid_file_with_another_scale_is_refused_by_name(tmp_path: Path) -> None:
    weights = cell_that_left_weights(tmp_path)
    size = (tmp_path / "weights.npz").stat().st_size
    np.savez(tmp_path / "weights.npz", weight=np.ones(64, np.int8), scale=np.float32(1.5))
    assert (tmp_path / "weights.npz").stat().st_size == size
    with pytest.raises(DamagedInput, match=r"starts from cell \w+, whose weights\.npz was changed"):
        weights.file("weights.npz")
    verdict = classify(DamagedInput("starts from it"))
    assert (verdict.status, verdict.transient) == ("unsupported", True)


def test_weights_that_were_cut_short_or_removed_are_refused_by_name(tmp_path: Path) -> None:
    weights = cell_that_left_weights(tmp_path)
    with open(tmp_path / "weights.npz", "r+b") as file:
        file.truncate(10)
    with pytest.raises(DamagedInput, match=r"whose weights\.npz has 10 bytes; its manifest says"):
        weights.file("weights.npz")
    (tmp_path / "weights.npz").unlink()
    with pytest.raises(DamagedInput, match=r"whose weights\.npz is missing"):
        weights.file("weights.npz")


def test_a_file_that_the_manifest_does_not_speak_of_is_not_taken(tmp_path: Path) -> None:
    weights = cell_that_left_weights(tmp_path)
    (tmp_path / "model.pt").write_bytes(b"slipped in")
    with pytest.raises(FileNotFoundError, match=r"model\.pt: the cell this one starts from left"):
        weights.file("model.pt")
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(DamagedInput, match="the manifest of what this cell starts from"):
        weights.file("weights.npz")
