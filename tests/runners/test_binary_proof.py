"""A network is called binary only where every product that can be is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runners.binary_proof import prove_products
from runners.failures import Unsupported
from runners.models.bnn_pynq import binary_network
from runners.precision_proof import Operation
from tests.runners.family import Family

TFC, CNV = binary_network("tfc", 10, 28), binary_network("cnv", 10, 32)
BINARY, FIRST = Operation("Conv", "binary", 8), Operation("Conv", "int8 x binary", 1)


def test_all_of_a_fully_connected_one_are_and_all_but_the_first_of_cnv() -> None:
    assert (TFC.few_bit_products, CNV.few_bit_products) == (4, 8)


def test_a_network_that_is_what_was_promised_has_a_proof(tmp_path: Path) -> None:
    job = Family(tmp_path).child()
    prove_products(job, CNV, "binary", [BINARY, FIRST, Operation("Add", None, 3)], "looked at")
    assert job.proof is not None
    assert job.proof.coverage == 8 / 9 and job.proof.fallback == ["Conv x1 in int8 x binary"]
    prove_products(job, TFC, "float32", [Operation("Gemm", "float32", 4)], "looked at")
    assert job.proof.coverage == 1.0


@pytest.mark.parametrize(
    ("network", "promised", "operations", "words"),
    [
        # A quantizer that changed nothing.
        (TFC, "binary", [Operation("Gemm", "float32", 4)],
         "0 of the 4 products that have to be binary in tfc are: Gemm x4 in float32"),
        # One layer of several.
        (CNV, "binary", [BINARY._replace(times=7), FIRST, Operation("Gemm", "float32", 1)],
         "7 of the 8 products that have to be binary in cnv are: Conv x1 in int8 x binary; Gemm"),
        (TFC, "ternary", [Operation("Gemm", "binary", 4)],
         "0 of the 4 products that have to be ternary"),
        (TFC, "float32", [Operation("Gemm", "float32", 3), Operation("Gemm", "binary", 1)],
         "3 of the 4 products that have to be float32"),
        (TFC, "binary", [], "0 of the 4 products that have to be binary in tfc are: nothing else"),
    ],
)  # fmt: skip
def test_anything_less_is_a_failed_proof_by_name(
    tmp_path: Path, network: Any, promised: str, operations: list[Operation], words: str
) -> None:
    job = Family(tmp_path).child()
    with pytest.raises(Unsupported, match=r"^the proof failed: ") as caught:
        prove_products(job, network, promised, operations, "looked at")
    assert words in str(caught.value)
    assert job.proof is not None, "what was seen stays"
