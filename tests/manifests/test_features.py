"""The features that are probed, and the cells that name them."""

from __future__ import annotations

from manifests.features import FEATURES, TAKING_PIXELS, feature_batch, features_of, groups
from manifests.probe_record import AS_PROMISED, MEANINGS, SIGNS, Outcome
from manifests.select import Selector
from tests.manifests.samples import a_cell


def test_there_are_all_that_the_study_asks_for() -> None:
    wanted = {
        "conv2d", "depthwise", "grouped", "transposed", "conv1d", "conv3d", "dilated", "linear",
        "embedding", "embedding-bag", "lstm", "gru", "multi-head-attention", "scaled-dot-product",
        "layer-norm", "group-norm", "batch-norm-fused", "batch-norm", "relu", "gelu", "silu",
        "hard-swish", "sigmoid", "softmax", "residual-add", "concatenation", "multiplication",
        "reshape", "mean", "max-pool", "upsampling-nearest", "padding", "rescaling",
        "normalisation", "nested", "subclassed", "dynamic-shape", "batch-1", "batch-32",
    }  # fmt: skip

    assert wanted <= set(FEATURES)
    assert len(FEATURES) == 53
    assert groups()[:3] == ["convolutions", "products", "recurrent"]


def test_a_star_stands_for_every_feature_and_none_comes_twice() -> None:
    assert features_of(["*"]) == list(FEATURES)
    assert features_of(["lstm", "*"])[:2] == ["lstm", "conv2d"]
    assert len(features_of(["lstm", "*"])) == len(FEATURES)
    assert features_of(["lstm"]) == ["lstm"]


def test_batches_are_a_feature_of_two() -> None:
    assert [name for name in FEATURES if feature_batch(name)] == ["batch-1", "batch-32"]
    assert feature_batch("batch-1") == 1
    assert feature_batch("") == 0


def test_a_cell_without_a_feature_has_the_id_that_it_had() -> None:
    assert a_cell(feature="").id == a_cell().id
    assert a_cell(feature="".join(["l", "stm"])).id == a_cell(feature="lstm").id
    assert a_cell(feature="lstm").id != a_cell().id


def test_a_title_names_the_feature() -> None:
    cell = a_cell(task="probe", feature="lstm", model="none", batch_size=32, seed=0)

    assert cell.title == "pytorch probe ptq-eager lstm batch 32"
    assert Selector("feature=lstm").accepts(cell)
    assert Selector("lstm").accepts(cell)
    assert not Selector("feature=gru").accepts(cell)


def test_every_outcome_has_a_sign_and_a_meaning() -> None:
    words = set(Outcome.__args__)  # type: ignore[attr-defined]

    assert set(SIGNS) == set(MEANINGS) == words
    assert set(AS_PROMISED) < words
    assert len(set(SIGNS.values())) == len(words)
    assert set(TAKING_PIXELS) < set(FEATURES)
