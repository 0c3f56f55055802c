"""Real cells of what Table 1 needs beside the others: QAT of a traced network, and its control."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.manifest import Manifest
from runners.safetensors_file import NEUTRAL_FILE, read_arrays
from tests.frameworks.cells import ADAM, Bench, digits_bench, ok, proven, samples

pytestmark = pytest.mark.frameworks
PTQ = {"calibration_images": 16, "test_images": 40}


@pytest.fixture(scope="module")
def bench(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return digits_bench(images["pytorch"], tmp_path_factory.mktemp("table1"), size=32)


@pytest.fixture(scope="module")
def trained(bench: Bench) -> Manifest:
    return ok(bench.run(bench.cell("train", "float32", ADAM)))


def used(manifest: Manifest) -> list[int]:
    """Images that calibrated and trained, and steps."""
    return [
        *samples(manifest, "images_used", "calibration"),
        *samples(manifest, "images_used", "train"),
        *samples(manifest, "optimizer_steps"),
    ]


def test_a_traced_network_is_trained_for_int8_and_runs_in_it(
    bench: Bench, trained: Manifest
) -> None:
    aware = ok(bench.run(bench.cell("train", "qat-fx", ADAM), trained))
    proven(aware, "int8")
    assert used(aware) == [0, 32, 4]
    assert "simulated-quantization" in {flag.name for flag in aware.flags}
    assert aware.fidelity is not None and aware.fidelity.images == 40


def test_dynamic_quantization_takes_no_data_and_covers_no_convolution(
    bench: Bench, trained: Manifest
) -> None:
    dynamic = ok(bench.run(bench.cell("quantize", "dynamic", PTQ), trained))
    assert used(dynamic) == [0, 0, 0]
    assert samples(dynamic, "promised_share") == [pytest.approx(3 / 30)]  # the dense layers


def test_a_control_goes_on_from_the_weights_that_were_trained(
    bench: Bench, trained: Manifest
) -> None:
    """At a rate of next to nothing it ends where it began; new weights would lie elsewhere."""
    still = {**ADAM, "learning_rate": 1e-12}
    cell = bench.cell("train", "float32", still, variant="continued")
    control = ok(bench.run(cell, trained))
    ours, theirs = (read_arrays(bench.folder / one.id / NEUTRAL_FILE) for one in (control, trained))
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        if "moving" not in name:  # statistics follow the images at any rate
            assert abs(array - theirs[name]).max() < 1e-6, name
    assert used(control) == [0, 32, 4]
