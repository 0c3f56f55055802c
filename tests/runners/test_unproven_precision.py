"""A cell whose proof says that nothing ran as promised carries a flag that forbids a verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.codec import read_manifest
from manifests.flags import disqualifies, flags_of
from manifests.manifest import Proof
from runners import techniques
from runners.execute import execute
from runners.job import Job
from tests.runners.samples import a_job

COUNTS = {"float32": {"Conv": 20}}


@pytest.mark.parametrize(
    ("coverage", "flagged"), [(0.0, True), (0.05, False), (1.0, False), (None, False)]
)
def test_a_proof_of_nothing_is_flagged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, coverage: float | None, flagged: bool
) -> None:
    def quantize(job: Job) -> None:
        job.record("latency_s", [0.001])
        job.proof = Proof(
            promised="int8", operations=COUNTS, coverage=coverage,
            fallback=["Conv x20 in float32"], source="",
        )  # fmt: skip

    monkeypatch.setattr(techniques, "find", lambda cell: quantize)
    execute(a_job(tmp_path, task="quantize"), None, None)
    manifest = read_manifest(tmp_path / "manifest.json")
    assert manifest.status == "ok"
    found = [flag for flag in manifest.flags if flag.name == "unproven-precision"]
    assert [flag.detail for flag in found] == (["0 % in int8: Conv x20 in float32"] * flagged)
    for metric in ("latency_s", "accuracy", "model_size_bytes"):
        assert (flags_of(manifest, metric) == ["unproven-precision"]) == flagged
    assert disqualifies("unproven-precision")
    share = manifest.metric("promised_share")
    assert share is not None and share.samples == [coverage]
    assert (share.reason == "no convolution or product was seen") == (coverage is None)
