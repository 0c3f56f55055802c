"""The network of lad2023, as data."""

from __future__ import annotations

import numpy as np
import pytest

from runners.models.resnet18 import NETWORKS, Conv, initial_weights, network_of, resnet18

NETWORK = resnet18(10)
WEIGHTS = initial_weights(NETWORK, seed=1)


def test_it_has_the_size_that_the_paper_gives() -> None:
    assert sum(weight.size for weight in WEIGHTS.values()) == 11_169_162
    assert sum(weight.nbytes for weight in WEIGHTS.values()) == 44_676_648
    assert {str(weight.dtype) for weight in WEIGHTS.values()} == {"float32"}


def test_its_layers_are_those_of_a_resnet18_for_small_pictures() -> None:
    assert len(NETWORK.convolutions) == 20
    assert NETWORK.stem == Conv("stem", 3, 64, 3, 1)
    assert [block.first.stride for block in NETWORK.blocks] == [1, 1, 2, 1, 2, 1, 2, 1]
    assert [bool(block.shortcut) for block in NETWORK.blocks] == [
        False, False, True, False, True, False, True, False,
    ]  # fmt: skip
    assert NETWORK.blocks[2].shortcut == [Conv("stage2_block1_shortcut", 64, 128, 1, 2)]
    assert (NETWORK.features, NETWORK.classes) == (512, 10)


def test_padding_keeps_the_size() -> None:
    assert Conv("a", 1, 1, 3, 1).padding == 1
    assert Conv("a", 1, 1, 1, 2).padding == 0


def test_the_same_seed_gives_the_same_weights() -> None:
    again = initial_weights(resnet18(10), seed=1)
    assert list(again) == list(WEIGHTS)
    assert all(np.array_equal(again[name], WEIGHTS[name]) for name in WEIGHTS)
    other = initial_weights(resnet18(10), seed=2)
    assert not np.array_equal(other["stem.weight"], WEIGHTS["stem.weight"])


@pytest.mark.parametrize("block", NETWORK.blocks, ids=lambda block: block.first.name)
def test_each_block_starts_as_its_shortcut(block: object) -> None:
    assert not WEIGHTS[f"{block.second.name}.weight"].any()  # type: ignore[attr-defined]
    assert WEIGHTS[f"{block.first.name}.weight"].all()  # type: ignore[attr-defined]


def test_the_scale_is_kaimings() -> None:
    assert WEIGHTS["stage4_block2_first.weight"].std() == pytest.approx(
        (2 / (9 * 512)) ** 0.5, rel=0.01
    )
    assert WEIGHTS["head.weight"].std() == pytest.approx((1 / 512) ** 0.5, rel=0.05)


def test_biases_start_at_zero() -> None:
    biases = [weight for name, weight in WEIGHTS.items() if name.endswith(".bias")]
    assert len(biases) == 21
    assert not any(bias.any() for bias in biases)


def test_other_class_counts_change_the_head_only() -> None:
    two = initial_weights(resnet18(2), seed=1)
    assert two["head.weight"].shape == (512, 2)
    assert np.array_equal(two["stem.weight"], WEIGHTS["stem.weight"])
    assert list(NETWORKS) == ["resnet18", "resnet18-bn"]


def test_batch_norm_takes_the_place_of_biases() -> None:
    network = network_of("resnet18-bn", 10)
    weights = initial_weights(network, seed=1)
    assert NETWORK.normalisations == []
    assert len(network.normalisations) == len(network.convolutions) == 20
    # 11,169,162 parameters, 4,800 biases replaced by two numbers each, and two that aren't trained
    assert sum(weight.size for weight in weights.values()) == 11_169_162 - 4_800 + 4 * 4_800
    assert [name for name in weights if name.endswith(".bias")] == ["head.bias"]
    assert [name for name in weights if name.startswith("stem")] == [
        "stem.weight", "stem_norm.gamma", "stem_norm.beta", "stem_norm.moving_mean",
        "stem_norm.moving_variance",
    ]  # fmt: skip
    assert set(np.unique(weights["stem_norm.moving_variance"])) == {1.0}


def test_it_draws_the_same_numbers_and_no_block_starts_as_its_shortcut() -> None:
    weights = initial_weights(network_of("resnet18-bn", 10), seed=1)
    for name in ("stem.weight", "stage2_block1_first.weight", "head.weight"):
        assert np.array_equal(weights[name], WEIGHTS[name])
    assert weights["stage2_block1_second.weight"].all()
