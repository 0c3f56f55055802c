"""Captions made from the embedded digits: the grammar, the words, and the same canvases always."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from manifests.errors import InputError
from orchestrator.datasets import catalogue, sets
from orchestrator.datasets.captions import tokens, vocabulary, words_of
from orchestrator.datasets.pack import pack_digest, prepare, quiet, read_meta
from orchestrator.datasets.sets import digit_captions
from orchestrator.datasets.sets.digit_captions import Placed, caption
from runners.captions.words import first_captions, network_of, references, told
from runners.data import Data

NAME = "digit-captions"


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    cache = tmp_path_factory.mktemp("cache")
    return prepare(catalogue.source(NAME, None, cache), 24, cache, quiet)


@pytest.mark.parametrize(("placed", "says"), [
    ([Placed(4, 3)], "a three"),
    ([Placed(3, 3), Placed(5, 7)], "a three left of a seven"),
    ([Placed(5, 7), Placed(3, 3)], "a three left of a seven"),
    ([Placed(0, 5), Placed(8, 2)], "a five above a two"),
    ([Placed(2, 5), Placed(3, 2), Placed(4, 9)], "a five above a two left of a nine"),
    ([Placed(0, 0), Placed(3, 0), Placed(6, 0)], "a zero above a zero above a zero"),
])  # fmt: skip
def test_the_grammar_names_digits_row_by_row(placed: list[Placed], says: str) -> None:
    assert " ".join(caption(placed)) == says


def test_it_is_called_by_its_name_wherever_it_shows(pack: Path) -> None:
    assert NAME in sets.names() and sets.data_set(NAME).captions
    assert read_meta(pack).name == NAME and pack.name.startswith(f"{NAME}-24-")


def test_its_words_are_those_that_the_grammar_has(pack: Path) -> None:
    assert read_meta(pack).classes == [
        "<pad>", "<start>", "<end>", "<unknown>", "a", "above", "eight", "five", "four", "left",
        "nine", "of", "one", "seven", "six", "three", "two", "zero",
    ]  # fmt: skip


def test_captions_lie_in_the_pack_as_numbers(pack: Path) -> None:
    meta, data = read_meta(pack), Data(pack)
    labels = data.labels("test")
    assert (labels.shape, labels.dtype) == ((500, 1, 12), np.uint16)
    assert {split: part.count for split, part in meta.splits.items()} == {
        "train": 4000, "test": 500,
    }  # fmt: skip
    assert set(labels[:, 0, 0]) == {1} and labels.max() == len(meta.classes) - 1
    captions = first_captions(data.test())
    assert captions.read.shape == captions.right.shape == (500, 11)
    assert (captions.read[:, 1:][captions.counted[:, :-1]] == captions.right[:, :-1][
        captions.counted[:, :-1]]).all()  # fmt: skip


def test_every_caption_is_of_the_grammar(pack: Path) -> None:
    data = Data(pack)
    said = {told(line[0], data.meta.classes) for line in data.labels("train")}
    pattern = r"a \w+( (left of|above) a \w+){0,2}"
    assert all(re.fullmatch(pattern, line) for line in said)
    assert any(line.count(" a ") == 2 for line in said)


def test_the_same_canvases_come_out_every_time(pack: Path, tmp_path: Path) -> None:
    again = prepare(catalogue.source(NAME, None, tmp_path), 24, tmp_path, quiet)
    assert pack_digest(read_meta(again)) == pack_digest(read_meta(pack))
    assert again.name == pack.name


def test_the_network_is_made_for_its_words(pack: Path) -> None:
    network = network_of(Data(pack))
    assert (network.words, network.length, network.image_size) == (18, 11, 24)
    assert network.positions == 36


def test_canvases_can_not_be_made_smaller(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="choose an image_size of 24 or more"):
        digit_captions.source().load(16, quiet)


def test_words_are_lower_case_and_without_punctuation() -> None:
    assert words_of("A dog's ball, thrown; at 3 .") == ["a", "dog's", "ball", "thrown", "at", "3"]


def test_rare_words_are_left_out_of_a_vocabulary() -> None:
    said = [["a", "dog"], ["a", "cat"], ["a", "dog"]]
    assert vocabulary(said, at_least=2) == ["<pad>", "<start>", "<end>", "<unknown>", "a", "dog"]


def test_captions_become_numbers_of_one_length() -> None:
    words = ["<pad>", "<start>", "<end>", "<unknown>", "a", "dog"]
    found = tokens([[["a", "dog"], ["a"]], [["a", "cat", "dog", "a"]]], words, 3)
    assert found.tolist() == [
        [[1, 4, 5, 2, 0], [1, 4, 2, 0, 0]], [[1, 4, 3, 5, 2], [0, 0, 0, 0, 0]],
    ]  # fmt: skip
    assert references(found, words) == [["a dog", "a <unknown> dog"], ["a", None]]
