"""Networks of several widths and depths in ONNX Runtime, and the peak of a matrix product."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.manifest import Manifest
from runners.models.network_size import network_size
from tests.frameworks.cells import ADAM, INFER, Bench, digits_bench, ok, samples
from tests.frameworks.conftest import interpreter

pytestmark = pytest.mark.frameworks
SIZE = 32
PTQ = {"calibration_images": 16, "test_images": 40}


def timed(folder: Path, model: str) -> tuple[Manifest, Manifest]:
    """A network that PyTorch trained, quantized by ONNX Runtime and timed there."""
    torch = digits_bench(interpreter("pytorch-cpu"), folder, model, SIZE)
    base = {**torch.base, "framework": "onnxruntime"}
    bench: Bench = torch._replace(python=interpreter("onnxruntime-cpu"), base=base)
    trained = ok(torch.run(torch.cell("train", "float32", ADAM)))
    made = ok(bench.run(bench.cell("quantize", "ptq-qdq", PTQ), trained))
    return trained, ok(bench.run(bench.cell("infer", "ptq-qdq", INFER), made))


@pytest.mark.first(1)
@pytest.mark.parametrize(("model", "operations"), [("vgg4-16", 7), ("mobilenet-v1-shallow-50", 20)])
def test_a_scaled_network_is_the_same_in_both_and_knows_its_size(
    tmp_path: Path, model: str, operations: int
) -> None:
    trained, found = timed(tmp_path, model)
    size = network_size(model, 10, SIZE)
    assert size is not None and len(size.operations) == operations
    assert samples(trained, "parameters") == samples(found, "parameters") == [size.parameters]
    assert samples(found, "multiply_adds", "image") == [size.multiply_adds]
    assert samples(found, "bytes_moved") == [size.bytes_moved(8)]
    assert found.proof is not None and found.proof.coverage == 1.0
    assert sum(found.proof.operations["int8"].values()) == operations
    times = sorted(samples(found, "latency_s"))
    assert samples(found, "multiply_add_rate") == [
        pytest.approx(8 * size.multiply_adds / times[1], rel=1e-6)
    ]


def test_the_peak_of_a_matrix_product_is_measured_in_each_type(tmp_path: Path) -> None:
    bench = digits_bench(interpreter("pytorch-cpu"), tmp_path, "none", 16)
    recipe = {"side": 512, "warm_up_s": 0.0, "warm_up_count": 1, "measure_s": 0.0,
              "measure_count": 5}  # fmt: skip
    found = ok(bench.run(bench.cell("quantize", "matrix-product", recipe)))
    for kind in ("float32", "bfloat16", "int8"):
        rates = samples(found, "multiply_add_rate", kind)
        assert len(rates) == 5 and all(1e8 < rate < 1e14 for rate in rates)
    metric = found.metric("multiply_add_rate", "int8")
    assert metric is not None and metric.source == "products of two int8 matrices of 512 x 512"
    assert found.environment.settings["torch.backends.quantized.engine"]
