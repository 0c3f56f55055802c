"""BNN-PYNQ's topologies as data, and the kinds of numbers that go into their products."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from runners.binary_values import is_binary, is_int8, is_ternary, product_kind
from runners.failures import DamagedInput, Unsupported
from runners.models.bnn_pynq import (
    BINARY_NETWORKS,
    binary_network,
    check_arrays,
    initial_arrays,
    inputs_of,
)

SIGNS = np.array([[1.0, -1.0]])


@pytest.mark.parametrize(
    ("model", "size", "weights", "packed"),
    [
        # 784 x 64 + 2 x 64 x 64 + 64 x 10
        ("tfc", 28, 59_008, 7_376),
        # 784 x 256 + 2 x 256 x 256 + 256 x 10
        ("sfc", 28, 334_336, 41_792),
        # 784 x 1024 + 2 x 1024 x 1024 + 1024 x 10
        ("lfc", 28, 2_910_208, 363_776),
        # 9 x (3 x 64 + 64 x 64 + 64 x 128 + 128 x 128 + 128 x 256 + 256 x 256)
        # + 256 x 512 + 512 x 512 + 512 x 10
        ("cnv", 32, 1_542_848, 192_856),
    ],
)
def test_they_have_the_weights_that_the_papers_count(
    model: str, size: int, weights: int, packed: int
) -> None:
    network = binary_network(model, 10, size)
    kernels = [v for k, v in initial_arrays(network, 0).items() if k.endswith(".kernel")]
    assert sum(kernel.size for kernel in kernels) == weights
    assert network.packed_bytes(1) == packed and network.packed_bytes(2) == 2 * packed
    assert network.scales(network.products[-1]) == 1


def test_initial_weights_are_the_same_for_a_seed_and_bounded() -> None:
    network = binary_network("tfc", 10, 28)
    first, again, other = (initial_arrays(network, seed) for seed in (3, 3, 4))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not np.array_equal(first["dense2.kernel"], other["dense2.kernel"])
    assert 0.9 < float(np.abs(first["dense2.kernel"]).max()) <= 1
    assert {array.dtype for array in first.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize(("model", "size"), [("tfc", 32), ("cnv", 28), ("cnv", 48)])
def test_another_size_is_refused_by_name(model: str, size: int) -> None:
    with pytest.raises(Unsupported, match=f"{model} takes pictures of .* pixels, not {size}"):
        binary_network(model, 10, size)


def test_another_network_is_refused_by_name() -> None:
    with pytest.raises(
        Unsupported, match=r"no binary network 'resnet18'\. Accepted: tfc, sfc, lfc, cnv"
    ):
        binary_network("resnet18", 10, 32)


def test_pixels_become_whole_numbers_of_eight_bits() -> None:
    pixels = np.arange(256, dtype=np.float32).reshape(1, 16, 16, 1) * np.ones(3, np.float32)
    pixels[..., 0] = 7
    all_three = inputs_of(BINARY_NETWORKS["cnv"](10), pixels)
    assert is_int8(all_three) and all_three.shape == (1, 16, 16, 3)
    one = inputs_of(BINARY_NETWORKS["tfc"](10), pixels)
    assert one.ravel().tolist() == list(range(-128, 128))


def _without(found: dict[str, Any]) -> None:
    del found["dense3_bn.beta"]


def _another_shape(found: dict[str, Any]) -> None:
    found["dense1.kernel"] = found["dense1.kernel"].T


def _not_finite(found: dict[str, Any]) -> None:
    found["dense4_bn.gamma"][0] = np.nan


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_without, "have no 'dense3_bn.beta', which tfc needs"),
        (_another_shape, r"'dense1.kernel' .* has shape \(64, 784\); tfc needs \(784, 64\)"),
        (_not_finite, "'dense4_bn.gamma' .* holds values that aren't finite"),
    ],
)
def test_weights_that_dont_fit_are_refused_by_name(change: Any, words: str) -> None:
    network = binary_network("tfc", 10, 28)
    found = initial_arrays(network, 0)
    check_arrays(network, found)
    change(found)
    with pytest.raises(DamagedInput, match=words):
        check_arrays(network, found)


@pytest.mark.parametrize(
    ("inputs", "weights", "promised", "kind"),
    [
        (SIGNS, SIGNS, "binary", "binary"),
        (SIGNS, SIGNS, "ternary", "ternary"),
        (SIGNS, SIGNS * 0, "ternary", "ternary"),
        (SIGNS, SIGNS * 0, "binary", "ternary"),
        (SIGNS, SIGNS * 0.5, "binary", "float32"),
        (SIGNS, SIGNS, "float32", "binary"),
        (SIGNS * 127, SIGNS, "binary", "int8 x binary"),
        (SIGNS * 129, SIGNS, "binary", "float32 x binary"),
        (SIGNS * 0.25, SIGNS * 0, "ternary", "float32 x ternary"),
        (SIGNS * np.nan, SIGNS, "binary", "float32 x binary"),
        (SIGNS, SIGNS * np.nan, "binary", "float32"),
    ],
)
def test_a_product_is_what_its_numbers_are(
    inputs: Any, weights: Any, promised: str, kind: str
) -> None:
    assert product_kind(inputs, weights, promised) == kind


@given(arrays.arrays(np.float32, (3, 4), elements=st.sampled_from([-1.0, 1.0])))
def test_signs_are_binary_until_one_is_not(values: Any) -> None:
    assert is_binary(values) and is_ternary(values) and is_int8(values)
    values[1, 2] = 0
    assert not is_binary(values) and is_ternary(values)
    values[1, 2] = 2
    assert not is_ternary(values) and is_int8(values)
    values[1, 2] = 0.5
    assert not is_int8(values)
