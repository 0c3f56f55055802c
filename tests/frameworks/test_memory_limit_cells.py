"""Real trainings under a limit of memory: what doesn't fit is ``oom`` and names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.manifest import Manifest
from tests.frameworks.cells import ADAM, Bench, digits_bench, ok

pytestmark = pytest.mark.frameworks
# torch alone takes some 230 MiB, with such a training 500 (bfloat16) and more.
RECIPE = {
    **ADAM, "train_images": 0, "test_images": 8, "steps": 1, "channels_last": True,
    "keep_weights": False,
}  # fmt: skip


@pytest.fixture(scope="module")
def bench(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return digits_bench(images["pytorch"], tmp_path_factory.mktemp("limit"), size=32)


def trained(bench: Bench, technique: str, mebibytes: int) -> Manifest:
    recipe = {**RECIPE, "memory_limit_bytes": mebibytes * 2**20}
    return bench.run(bench.cell("train", technique, recipe, batch_size=200))


@pytest.mark.parametrize(("technique", "mebibytes"), [("float32", 400), ("amp-bfloat16", 380)])
def test_the_limit_is_what_runs_out(bench: Bench, technique: str, mebibytes: int) -> None:
    """Whichever library finds no room: torch's allocator, numpy or oneDNN."""
    manifest = trained(bench, technique, mebibytes)
    assert (manifest.status, manifest.transient) == ("oom", False), manifest.error
    assert manifest.reason.startswith(f"at the limit of {mebibytes} MiB: out of memory")
    assert manifest.environment.settings["RLIMIT_DATA"] == str(mebibytes * 2**20)
    (peak,) = manifest.labelled("peak_memory_bytes")
    assert peak.samples[0] is not None and peak.samples[0] < (mebibytes + 100) * 2**20


def test_the_same_training_in_enough_memory_is_one(bench: Bench) -> None:
    manifest = ok(trained(bench, "float32", 2048))
    assert manifest.metric("train_step_s") is not None
    assert manifest.environment.settings["RLIMIT_DATA"] == "2147483648"
