"""What --dataset and --data-dir mean for a study of two data sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from manifests.errors import InputError
from orchestrator.datasets import catalogue
from tests.orchestrator.pictures import FILES, pictures, zipped

SLOTS = ["cifar10", "cats_vs_dogs"]


def names(choice: catalogue.DataChoice) -> dict[str, str]:
    return {slot: choice.name_of(slot) for slot in SLOTS}


def test_without_a_choice_each_data_set_is_the_papers_own() -> None:
    assert names(catalogue.choose(SLOTS, None, None, "")) == {
        "cifar10": "cifar10", "cats_vs_dogs": "cats_vs_dogs",
    }  # fmt: skip


def test_a_tiers_data_set_stands_in_for_all() -> None:
    choice = catalogue.choose(SLOTS, None, None, "digits")
    assert names(choice) == {"cifar10": "digits", "cats_vs_dogs": "digits"}
    assert choice.places == {}


def test_a_folder_with_one_for_each_gives_each_its_own(tmp_path: Path) -> None:
    pictures(tmp_path / "cifar10-jpeg")
    zipped(tmp_path / "cats_vs_dogs-small.zip", FILES)
    choice = catalogue.choose(SLOTS, tmp_path, None, "digits")
    assert names(choice) == {"cifar10": "cifar10-jpeg", "cats_vs_dogs": "cats_vs_dogs-small"}
    assert choice.places == {
        "cifar10-jpeg": tmp_path / "cifar10-jpeg",
        "cats_vs_dogs-small": tmp_path / "cats_vs_dogs-small.zip",
    }


def test_one_of_the_two_leaves_the_other_to_the_tier(tmp_path: Path) -> None:
    zipped(tmp_path / "cats_vs_dogs-small.zip", FILES)
    choice = catalogue.choose(SLOTS, tmp_path, None, "digits")
    assert names(choice) == {"cifar10": "digits", "cats_vs_dogs": "cats_vs_dogs-small"}


def test_any_other_folder_stands_in_for_all(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "mine")
    choice = catalogue.choose(SLOTS, folder, None, "digits")
    assert names(choice) == {"cifar10": "mine", "cats_vs_dogs": "mine"}
    assert choice.places == {"mine": folder}


def test_a_local_set_may_not_pass_for_the_official_one(tmp_path: Path) -> None:
    path = zipped(tmp_path / "cats_vs_dogs.zip", FILES)
    with pytest.raises(InputError, match="'cats_vs_dogs' is the name of a known data set"):
        catalogue.choose(SLOTS, tmp_path, None, "digits")
    with pytest.raises(InputError, match="'cats_vs_dogs' is the name of a known data set"):
        catalogue.name_of(path, None, "")
