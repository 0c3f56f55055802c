"""PyTorch's static int8 by scheme: what a variant's name says is what the converted model has."""

from __future__ import annotations

import pytest

from manifests.manifest import Manifest
from manifests.runner_files import variants
from tests.frameworks.cells import INFER, Bench, digits_bench, ok, samples
from tests.frameworks.conftest import interpreter
from tests.frameworks.tflite_family import PRODUCTS, QUANTIZE, SGD

pytestmark = pytest.mark.frameworks
WEIGHTS, ZEROS = "torch.ao weights", "torch.ao zero points of activations"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return digits_bench(
        interpreter("pytorch-cpu"), tmp_path_factory.mktemp("schemes"), "resnet18", 16
    )


@pytest.fixture(scope="module")
def trained(bench: Bench) -> Manifest:
    return ok(bench.run(bench.cell("train", "float32", SGD)))


def test_every_observer_has_every_scheme() -> None:
    wanted = {
        "-".join(filter(None, (observer, weights, activations)))
        for observer in ("", "minmax", "moving-average")
        for weights in ("", "per-tensor")
        for activations in ("", "symmetric")
    }
    assert set(variants("pytorch", "ptq-fx")) == wanted - {""} | {"unfused"}


@pytest.mark.first(2)
@pytest.mark.parametrize(
    "variant", ["", "symmetric", "per-tensor", "minmax", "moving-average-per-tensor-symmetric"]
)
def test_a_scheme_is_what_its_name_says(bench: Bench, trained: Manifest, variant: str) -> None:
    found = ok(bench.run(bench.cell("quantize", "ptq-fx", QUANTIZE, variant=variant), trained))
    settings, proof = found.environment.settings, found.proof
    assert proof is not None and (proof.promised, proof.coverage) == ("int8", 1.0)
    convolutions = ("quantized::conv2d", "quantized::conv2d_relu", "quantized::linear")
    assert sum(proof.operations["int8"].get(name, 0) for name in convolutions) == PRODUCTS
    per_tensor, symmetric = "per-tensor" in variant, "symmetric" in variant
    assert settings[WEIGHTS] == ("per tensor" if per_tensor else "per channel")
    zeros = {int(zero) for zero in settings[ZEROS].split(", ")}
    # The middle of unsigned activations, of their whole range or of the reduced one.
    assert (zeros in ({128}, {63})) == symmetric
    assert samples(found, "agreement")[0] > 0.8
    assert found.fidelity is not None and found.fidelity.unmatched == []


def test_a_scheme_is_made_again_where_it_is_timed(bench: Bench, trained: Manifest) -> None:
    variant = "minmax-per-tensor-symmetric"
    made = ok(bench.run(bench.cell("quantize", "ptq-fx", QUANTIZE, variant=variant), trained))
    cell = bench.cell("infer", "ptq-fx", {**INFER, "test_images": 40}, variant=variant)
    timed = ok(bench.run(cell, made))
    assert timed.proof == made.proof
    assert samples(timed, "accuracy") == samples(made, "accuracy")


@pytest.mark.thorough
def test_schemes_give_different_models_of_one_size(bench: Bench, trained: Manifest) -> None:
    """Nothing of a variant is lost on the way: each answers differently from the others."""
    noises, sizes = [], []
    for variant in ("per-tensor-symmetric", "minmax-per-tensor", "minmax-symmetric"):
        cell = bench.cell("quantize", "ptq-fx", QUANTIZE, variant=variant)
        found = ok(bench.run(cell, trained))
        noises.append(samples(found, "sqnr_db")[0])
        sizes.append(samples(found, "model_size_bytes")[0])
    assert len(set(noises)) == 3
    assert max(sizes) / min(sizes) < 1.05
