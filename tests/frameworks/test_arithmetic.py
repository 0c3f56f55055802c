"""Real cells of technique ``arithmetic``: each framework's own quantizers beside the equations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from manifests.manifest import Manifest
from tests.frameworks.cells import ADAM, Bench, digits_bench, ok, samples

pytestmark = pytest.mark.frameworks
RECIPE = {"calibration_images": 16, "test_images": 8, "random_tensors": 60, "real_tensors": 8}
PYTORCH = {
    "asymmetric-minmax", "asymmetric-minmax-unsigned", "asymmetric-moving-average",
    "asymmetric-histogram", "symmetric-full-minmax", "symmetric-restricted-minmax",
    "torchao-asymmetric", "torchao-symmetric-full", "torchao-symmetric-unclipped",
    "asymmetric-per-channel", "symmetric-full-per-channel",
}  # fmt: skip
TENSORFLOW = {"tflite-activations", "tflite-weights", "tensorflow-symmetric-restricted"}
OWN_RANGE = {"asymmetric-histogram", "torchao-symmetric-unclipped"}
"""Those whose scale isn't the equation's."""


@pytest.fixture(scope="module")
def bench(images: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return digits_bench(images["pytorch"], tmp_path_factory.mktemp("arithmetic"))


@pytest.fixture(scope="module")
def trained(bench: Bench) -> Manifest:
    return ok(bench.run(bench.cell("train", "float32", ADAM)))


@pytest.fixture(scope="module")
def pytorch(bench: Bench, trained: Manifest) -> Manifest:
    return ok(bench.run(bench.cell("quantize", "arithmetic", RECIPE), trained))


@pytest.fixture(scope="module")
def tensorflow(bench: Bench, trained: Manifest, images: dict[str, Path]) -> Manifest:
    """From the weights that PyTorch trained."""
    theirs = bench._replace(python=images["tensorflow-cpu"])
    cell = theirs.cell("quantize", "arithmetic", RECIPE, framework="tensorflow")
    return ok(theirs.run(cell, trained))


@pytest.fixture(params=["pytorch", "tensorflow"])
def manifest(request: pytest.FixtureRequest) -> Manifest:
    found: Manifest = request.getfixturevalue(request.param)
    return found


def quantizers(manifest: Manifest) -> set[str]:
    return {metric.label for metric in manifest.labelled("equal_integers")}


def test_every_quantizer_is_there(pytorch: Manifest, tensorflow: Manifest) -> None:
    assert quantizers(pytorch) == PYTORCH and quantizers(tensorflow) == TENSORFLOW


def test_every_integer_follows_from_the_rule_that_is_named(manifest: Manifest) -> None:
    for name in quantizers(manifest):
        (share,) = samples(manifest, "equal_by_rule", name)
        assert share == 1, name
        metric = manifest.metric("equal_by_rule", name)
        assert metric is not None and metric.source.startswith("Equations "), metric


def test_scales_and_zero_points_are_those_of_the_equations(manifest: Manifest) -> None:
    for name in quantizers(manifest):
        (scale,) = samples(manifest, "scale_ulp", name)
        assert (scale > 1) == (name in OWN_RANGE), (name, scale)
        if name not in OWN_RANGE:
            assert samples(manifest, "zero_point_difference", name) == [0], name
            assert samples(manifest, "equal_integers", name)[0] > 0.9, name


def test_real_tensors_are_among_them(bench: Bench, manifest: Manifest) -> None:
    path = bench.folder / manifest.id / "arithmetic.json"
    kept = json.loads(path.read_text())
    assert set(kept) == quantizers(manifest)
    name = "asymmetric-minmax" if manifest.cell.framework == "pytorch" else "tflite-activations"
    names = [one["name"] for one in kept[name]["tensors"]]
    assert len([one for one in names if one.startswith("random")]) == 60
    assert len(names) >= 64 and len(set(names)) == len(names)


def test_rounding_and_clipping_are_what_the_framework_loses(manifest: Manifest) -> None:
    """Equation 12, with the framework's own round trip on the other side."""
    for metric in manifest.labelled("quantization_error"):
        rounding, clipping = (
            samples(manifest, name, metric.label) for name in ("rounding_error", "clipping_error")
        )
        assert len(metric.samples) == 4
        for parts in zip(rounding, clipping, metric.samples, strict=True):
            assert parts[0] + parts[1] == pytest.approx(parts[2], rel=0.01)


def test_casts_are_equal_bit_by_bit(manifest: Manifest) -> None:
    for name in ("bfloat16", "float16"):
        assert samples(manifest, "casts_differing", name) == [0]
        metric = manifest.metric("casts_differing", name)
        assert metric is not None and metric.items > 500_000


def test_loss_scaling_keeps_gradients_that_float16_loses(pytorch: Manifest) -> None:
    plain, scaled, wide = (
        samples(pytorch, "flushed_gradients", name)[0]
        for name in ("float16", "float16-scaled", "bfloat16")
    )
    assert scaled < plain and wide <= scaled
    assert samples(pytorch, "overflowed_gradients", "float16-scaled") == [0]
    assert samples(pytorch, "loss_scale")[0] > 1
