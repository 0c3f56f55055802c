"""The same network in another place, around sessions of numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from manifests.codec import read_manifest, write_manifest
from runners.failures import Unsupported
from runners.trained_parity import TRAINED, show_same_network
from tests.runners.family import Family, linear, weights
from tests.runners.samples import TEST


@pytest.fixture
def family(tmp_path: Path) -> Family:
    return Family(tmp_path, proof="binary")


def test_a_network_that_never_was_float_is_held_against_its_training(family: Family) -> None:
    job = family.child()
    show_same_network(job, linear(weights()))
    found = {(m.name, m.label): (m.samples, m.items) for m in job.metrics}
    assert found["agreement", TRAINED] == ([1.0], TEST)
    assert found["logit_difference", TRAINED] == ([0.0], TEST)


@pytest.mark.parametrize("changed", [weights() * 1.01, weights(1), weights() * np.nan])
def test_another_one_is_refused(family: Family, changed: Any) -> None:
    job = family.child()
    with pytest.raises(Unsupported, match="this isn't the network that was trained"):
        show_same_network(job, linear(changed))
    assert {m.name for m in job.metrics} == {"agreement", "logit_difference"}, "what was seen stays"


def test_without_answers_of_the_training_nothing_is_shown(family: Family) -> None:
    place = family.folder / "manifest.json"
    manifest = read_manifest(place)
    place.unlink()
    with pytest.raises(Unsupported, match="left no manifest"):
        show_same_network(family.child(), linear(weights()))
    write_manifest(place, msgspec.structs.replace(manifest, artifacts=[]))
    with pytest.raises(Unsupported, match="kept no answers"):
        show_same_network(family.child("another"), linear(weights()))
