"""Float parity, around sessions of numpy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from runners.failures import Unsupported
from runners.float_parity import largest_difference, parity, show_float_parity
from runners.inference import Session
from runners.outputs import Outputs
from tests.runners.family import Family, linear, weights
from tests.runners.samples import TEST


@pytest.fixture
def family(tmp_path: Path) -> Family:
    return Family(tmp_path)


def outputs(values: Any, kind: str = "logits") -> Outputs:
    array = np.array(values, np.float32)
    predicted = np.where(np.isfinite(array).all(axis=1), array.argmax(1), -1)
    places = np.arange(len(array))
    return Outputs(places, np.zeros(len(array), np.int64), predicted, array, kind)


def test_the_same_network_in_other_sums_is_the_same(family: Family) -> None:
    job = family.child()
    show_float_parity(job, linear(weights() * (1 + 1e-6)))
    found = {(m.name, m.label): m.samples for m in job.metrics}
    assert found["agreement", "float model"] == [1.0]
    assert 0 < (found["logit_difference", ""][0] or 0) < 1e-5
    assert [m.items for m in job.metrics] == [TEST, TEST]


@pytest.mark.parametrize(
    ("session", "words"),
    [
        (linear(weights() * 1.01), r"differ by 0\.01 of the largest"),
        (linear(weights(1)), "differ by "),
        (linear(weights() * np.nan), "not every value is finite"),
        (linear(weights() * 0), "differ by 1 of the largest"),
    ],
)
def test_another_network_is_refused_by_name(family: Family, session: Session, words: str) -> None:
    job = family.child()
    with pytest.raises(Unsupported, match=f"float parity failed: .*{words}"):
        show_float_parity(job, session)
    assert {m.name for m in job.metrics} == {"agreement", "logit_difference"}, "what was seen stays"


def test_without_the_parents_answers_nothing_is_shown(family: Family) -> None:
    (family.folder / "manifest.json").unlink()
    with pytest.raises(Unsupported, match="can't be shown: the weights' cell left no manifest"):
        show_float_parity(family.child(), linear(weights()))


@pytest.mark.parametrize("promised", ["bfloat16", "float16"])
def test_answers_of_lower_precision_show_no_float_parity(tmp_path: Path, promised: str) -> None:
    family = Family(tmp_path, proof=promised)
    with pytest.raises(Unsupported, match=f"its cell computed in {promised}"):
        show_float_parity(family.child(), linear(weights()))


def test_one_image_that_is_put_elsewhere_is_no_parity() -> None:
    theirs, ours = outputs([[1.0, 1.0001], [5, 0]]), outputs([[1.0001, 1.0], [5, 0]])
    found = parity(theirs, ours)
    assert found.difference == pytest.approx(1e-4 / 5, rel=0.05) and found.agreeing == 1
    assert not found.holds and parity(theirs, theirs).holds


def test_which_of_two_equal_logits_comes_first_is_no_other_answer() -> None:
    theirs, ours = outputs([[-7.0, 3.0, 3.0000002]]), outputs([[-7.0, 3.0000002, 3.0]])
    found = parity(theirs, ours)
    assert (found.agreeing, found.tied) == (0, 1) and found.holds
    apart = parity(outputs([[-7.0, 3.0, 3.00001]]), outputs([[-7.0, 3.00001, 3.0]]))
    assert (apart.agreeing, apart.tied) == (0, 0) and not apart.holds


def test_what_gave_no_answer_is_no_tie() -> None:
    nothing = outputs([[np.nan, 1.0]])
    assert not parity(nothing, nothing).holds and not parity(outputs([[1.0, 1.0]]), nothing).holds


def test_a_parent_of_probabilities_is_compared_by_them() -> None:
    logits = np.array([[2.0, 0.0], [0.0, 1.0]])
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    found = parity(outputs(shares, "probabilities"), outputs(logits))
    assert found.kind == "probabilities" and found.holds
    assert found.difference == pytest.approx(0, abs=1e-6)


def test_a_difference_is_of_the_largest() -> None:
    assert largest_difference([[4.0, -8.0]], [[4.0, -6.0]]) == 0.25
    assert largest_difference([[0.0]], [[0.0]]) is None
    assert largest_difference([[1.0]], [[np.inf]]) is None
    assert largest_difference(np.zeros((0, 3)), np.zeros((0, 3))) is None
