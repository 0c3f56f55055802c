"""lad2023, section IV: layers fused or not, and the whole model quantized or all but its ends."""

from __future__ import annotations

import pytest

from manifests.manifest import Manifest
from tests.frameworks.cells import ADAM, INFER, Bench, digits_bench, ok, samples
from tests.frameworks.conftest import interpreter
from tests.frameworks.tflite_family import QUANTIZE, SGD

pytestmark = pytest.mark.frameworks
# Of ResNet18: a stem, two convolutions in each of eight blocks, three shortcuts, the head. A ReLU
# stands behind the stem and the first convolution of each block; additions have theirs in any case.
FUSIBLE, CONVOLUTIONS, BLOCKS = 9, 20, 8


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    folder = tmp_path_factory.mktemp("fusion")
    return digits_bench(interpreter("pytorch-cpu"), folder, "resnet18", 16)


@pytest.fixture(scope="module")
def trained(bench: Bench) -> Manifest:
    return ok(bench.run(bench.cell("train", "float32", SGD)))


@pytest.mark.parametrize(
    ("variant", "int8", "float32"),
    [
        ("", {"conv2d_relu": FUSIBLE, "conv2d": CONVOLUTIONS - FUSIBLE, "linear": 1}, 0),
        ("unfused", {"conv2d": CONVOLUTIONS, "linear": 1}, 0),
        ("ends-float", {"conv2d_relu": FUSIBLE - 1, "conv2d": CONVOLUTIONS - FUSIBLE}, 2),
        ("ends-float-unfused", {"conv2d": CONVOLUTIONS - 1}, 2),
    ],
)
def test_a_variant_fuses_and_quantizes_what_its_name_says(
    bench: Bench, trained: Manifest, variant: str, int8: dict[str, int], float32: int
) -> None:
    found = ok(bench.run(bench.cell("quantize", "ptq-eager", QUANTIZE, variant=variant), trained))
    assert found.proof is not None
    operations = found.proof.operations
    wanted = {**int8, "add_relu": BLOCKS}
    assert operations["int8"] == {f"quantized::{name}": times for name, times in wanted.items()}
    assert sum(operations.get("float32", {}).values()) == float32
    assert found.proof.coverage == pytest.approx(1 - float32 / (CONVOLUTIONS + 1))
    assert samples(found, "agreement")[0] > 0.8 and samples(found, "sqnr_db")[0] > 5
    assert found.fidelity is not None and found.fidelity.unmatched == []
    size = samples(found, "model_size_bytes")[0]
    assert size < 11_169_162 * 1.1  # a byte a weight; the ends are 0.1 % of them


@pytest.mark.thorough
def test_batch_normalization_is_fused_or_a_layer_of_its_own(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("batch-normalization")
    bench = digits_bench(interpreter("pytorch-cpu"), folder, "mobilenet-v1", 32)
    trained = ok(bench.run(bench.cell("train", "float32", ADAM)))
    found = {
        variant: ok(bench.run(bench.cell("quantize", "ptq-fx", QUANTIZE, variant=variant), trained))
        for variant in ("", "unfused")
    }
    names = {
        variant: {name.partition("::")[2]: times for name, times in int8_of(manifest).items()}
        for variant, manifest in found.items()
    }
    assert "batch_norm2d" not in names[""]
    assert names["unfused"]["batch_norm2d"] == names["unfused"]["conv2d"] == 27
    timed = ok(bench.run(bench.cell("infer", "ptq-fx", INFER, variant="unfused"), found["unfused"]))
    assert int8_of(timed) == int8_of(found["unfused"])


def int8_of(manifest: Manifest) -> dict[str, int]:
    assert manifest.proof is not None and manifest.proof.coverage == 1.0
    return manifest.proof.operations["int8"]


def test_the_same_structure_is_timed(bench: Bench, trained: Manifest) -> None:
    made = ok(
        bench.run(
            bench.cell("quantize", "ptq-eager", {**QUANTIZE, "test_images": 24},
                       variant="ends-float-unfused"), trained,
        )
    )  # fmt: skip
    timed = ok(
        bench.run(bench.cell("infer", "ptq-eager", INFER, variant="ends-float-unfused"), made)
    )
    assert timed.proof is not None and made.proof is not None
    assert timed.proof.operations == made.proof.operations
    assert samples(timed, "multiply_adds", "image") == [138_859_520]
