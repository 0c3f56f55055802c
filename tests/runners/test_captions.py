"""Judging captioners: what one that knows every caption, one that knows none, and one in between
are worth; and that a pack of classes is refused.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from orchestrator.datasets.captions import tokens, vocabulary
from orchestrator.datasets.pack import Part, Source, prepare, quiet
from runners.captions import bleu, evaluation
from runners.captions.words import chosen, network_of, shifted, told
from runners.data import Data
from runners.failures import Unsupported
from runners.job import Job
from runners.models.captioner import (
    COMPONENTS,
    REMOVABLE,
    Captioner,
    component_of,
    initial_arrays,
    layers_of,
    of_network,
    removed_components,
    without,
)
from tests.runners.samples import a_job, a_pack

SAID = [["a", "red", "dog"], ["a", "cat"], ["two", "red", "cats", "run"]]
WORDS = vocabulary(SAID)


def captions_pack(folder: Path) -> Data:
    """Three test pictures, each all of its own level, with one caption each."""
    images = np.zeros((3, 8, 8, 3), np.uint8)
    images[:] = np.array([10, 120, 240], np.uint8)[:, None, None, None]
    images[:, 0] = 0
    part = Part(images, tokens([[caption] for caption in SAID], WORDS, 4))  # type: ignore[arg-type]

    def load(image_size: int, progress: object) -> dict[str, Part]:
        return {"train": part, "test": part}

    source = Source("told", "made here", WORDS, "key", load, mirrored=False)
    return Data(prepare(source, 8, folder, quiet))


@pytest.fixture
def job(tmp_path: Path) -> Job:
    return a_job(tmp_path, captions_pack(tmp_path), model="captioner", batch_size=2)


def knowing(job: Job, wrong: int = -1) -> evaluation.Answer:
    """Knows a picture by its level, and its caption; of one picture only the first word."""
    labels = job.data.labels("test")[:, 0].astype(np.int64)
    levels = job.data.normalise(job.data.test().images)[:, 4, 4, 0]

    def answer(pictures: Any, words: Any) -> Any:
        which = np.abs(pictures[:, 4, 4, 0][:, None] - levels).argmin(1)
        right = shifted(labels[which]).right
        right[which == wrong, 1:] = right[which == wrong, :1]
        return np.eye(len(WORDS), dtype=np.float32)[right] * 9

    return answer


def value(job: Job, name: str) -> Any:
    (metric,) = [one for one in job.metrics if one.name == name]
    return metric.samples[0]


def test_one_that_knows_every_caption_is_right(job: Job) -> None:
    evaluation.evaluate(job, knowing(job), 0)
    assert value(job, "token_accuracy") == value(job, "exact_captions") == 1.0
    assert (job.folder / "captions.npz").is_file()


def test_words_count_and_padding_does_not(job: Job) -> None:
    """Of 4 + 3 + 5 words, ends among them, 3 of the first picture's 4 are lost."""
    evaluation.evaluate(job, knowing(job, wrong=0), 0)
    assert value(job, "token_accuracy") == pytest.approx(9 / 12)
    assert value(job, "exact_captions") == pytest.approx(2 / 3)


def test_without_sacrebleu_there_is_no_bleu_and_a_reason(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    evaluation.evaluate(job, knowing(job), 0)
    (metric,) = [one for one in job.metrics if one.name == "bleu"]
    assert metric.samples == [None] and metric.reason.startswith("no sacrebleu here: ")


def test_bleu_is_what_sacrebleu_says_of_words_parted_already(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[Any] = []

    class Bleu:
        def __init__(self, **options: Any) -> None:
            asked.append(options)

        def corpus_score(self, told: list[str], references: list[list[str]]) -> Any:
            asked.append((told, references))
            return SimpleNamespace(score=42.0)

        def get_signature(self) -> str:
            return "nrefs:1"

    metrics = ModuleType("sacrebleu.metrics")
    metrics.BLEU = Bleu  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "sacrebleu", ModuleType("sacrebleu"))
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", metrics)
    found = bleu.bleu4(["a dog"], [["a dog"], [None]])
    assert found == bleu.Bleu(0.42, "sacrebleu, nrefs:1")
    assert asked == [{"tokenize": "none", "force": True}, (["a dog"], [["a dog"], [None]])]


def test_one_of_several_captions_is_drawn_among_those_there_are() -> None:
    labels = tokens([[["a"], ["dog"]], [["cat"]]], vocabulary([["a", "dog", "cat"]]), 1)
    generator = np.random.default_rng(0)
    drawn = [chosen(labels, generator).tolist() for _ in range(30)]
    assert {tuple(first) for first, _ in drawn} == {(1, 4, 2), (1, 6, 2)}
    assert {tuple(second) for _, second in drawn} == {(1, 5, 2)}


def test_a_caption_ends_at_its_end() -> None:
    numbers = [WORDS.index(word) for word in ("<start>", "a", "cat", "<end>", "red", "<pad>")]
    assert told(numbers, WORDS) == "a cat"


def test_a_pack_of_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="needs pictures with captions, and numbers has classes"):
        network_of(a_pack(tmp_path))


def test_every_layer_with_weights_is_in_one_component() -> None:
    network = Captioner(18, 11, 24)
    layers = [layer for layers in layers_of(network).values() for layer in layers]
    assert len(layers) == len(set(layers)) and list(layers_of(network)) == list(COMPONENTS)
    named = {key.rpartition(".")[0] for key in initial_arrays(network, 0)}
    assert all(component_of(network, name) in COMPONENTS for name in named)
    assert sum(array.size for array in initial_arrays(network, 0).values()) == 159_122


@pytest.mark.parametrize("part", list(REMOVABLE))
def test_what_is_taken_out_has_no_layers_and_no_weights(part: str) -> None:
    whole = Captioner(18, 11, 24)
    less = without(whole, [part])
    gone = removed_components([part])
    assert gone and all(layers_of(less)[name] == [] for name in gone)
    left = {layer for layers in layers_of(less).values() for layer in layers}
    arrays = initial_arrays(less, 0)
    assert {key.rpartition(".")[0] for key in arrays} <= left
    assert of_network(less, initial_arrays(whole, 0)).keys() == arrays.keys()


def test_a_sublayer_goes_with_what_stands_behind_it() -> None:
    less = without(Captioner(18, 11, 24), ["self-attention"])
    assert less.normalisations == ["block0_norm2", "block0_norm3", "block1_norm2", "block1_norm3"]
    assert less.additions == ["block0_add2", "block0_add3", "block1_add2", "block1_add3"]
    assert removed_components(["self-attention"]) == [
        "self-attention-projections", "self-attention-scores",
    ]  # fmt: skip
    with pytest.raises(KeyError, match="image-encoder"):
        without(less, ["image-encoder"])
