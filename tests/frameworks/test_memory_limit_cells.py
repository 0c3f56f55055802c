"""A limit between what bfloat16 and what float32 need: one runs out of it, the other doesn't."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from tests.frameworks.cells import ADAM, Bench, digits_bench, ok

pytestmark = pytest.mark.frameworks
LIMIT = 900 * 2**20
RECIPE = {
    **ADAM, "train_images": 0, "test_images": 8, "steps": 2, "channels_last": True,
    "keep_weights": False, "memory_limit_bytes": LIMIT,
}  # fmt: skip


@pytest.fixture(scope="module")
def bench(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return digits_bench(images["pytorch"], tmp_path_factory.mktemp("limit"), size=32)


def trained(bench: Bench, technique: str, limit_bytes: int) -> Manifest:
    recipe = {**RECIPE, "memory_limit_bytes": limit_bytes}
    return bench.run(bench.cell("train", technique, recipe, batch_size=400))


def test_the_limit_is_what_runs_out(bench: Bench) -> None:
    manifest = trained(bench, "float32", LIMIT)
    assert (manifest.status, manifest.transient) == ("oom", False), manifest.error
    assert re.match(r"at the limit of 900 MiB: out of memory: .*allocate", manifest.reason)
    assert manifest.environment.settings["RLIMIT_DATA"] == str(LIMIT)
    assert [phase.name for phase in manifest.phases][-1] == "train"


def test_what_fits_is_trained(bench: Bench) -> None:
    assert ok(trained(bench, "amp-bfloat16", LIMIT)).metric("train_step_s") is not None
    assert ok(trained(bench, "float32", 4 * 2**30)).metric("train_step_s") is not None
