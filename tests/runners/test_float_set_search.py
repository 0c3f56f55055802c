"""Steps of the search in children: what each outcome is called, and that they come again."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from manifests.float_set import FloatSet
from runners.captions import float_sets
from runners.captions.recipes import QuantizeCaptionerRecipe
from runners.failures import NotNow, Unsupported
from runners.float_set_search import find_float_set, find_removal, in_child, refusal
from runners.models.captioner import COMPONENTS as COMPONENTS_OF_IT
from tests.runners.samples import a_job

COMPONENTS = ["a", "b", "c", "d", "e"]


def needing(*needed: str) -> Any:
    """A network that is refused unless these stay in float."""

    def attempt(kept: frozenset[str]) -> Sequence[str]:
        if not set(needed) <= kept:
            raise NotImplementedError("no kernel for it\nand more")
        return []

    return attempt


def sleeping(kept: frozenset[str]) -> Sequence[str]:
    time.sleep(60)
    return []


def test_what_is_refused_without_is_found(tmp_path: Path) -> None:
    found = find_float_set(a_job(tmp_path), COMPONENTS, needing("b", "e"), 10)
    assert (found.kept, found.minimal) == (["b", "e"], True)
    assert (found.steps[0].kept, found.steps[0].outcome) == ([], "refused")
    assert found.steps[0].words == "NotImplementedError: no kernel for it"
    tried = [(step.kept, step.outcome) for step in found.steps]
    assert (["b"], "refused") in tried and (["e"], "refused") in tried
    assert len(tried) == len({tuple(kept) for kept, _ in tried})


def test_the_same_steps_are_taken_every_time(tmp_path: Path) -> None:
    first, again = (
        find_float_set(a_job(tmp_path), COMPONENTS, needing("a", "d"), 10) for _ in range(2)
    )
    assert [(s.kept, s.outcome, s.words) for s in first.steps] == [
        (s.kept, s.outcome, s.words) for s in again.steps
    ]
    assert first.kept == again.kept == ["a", "d"]


def test_what_ends_in_float_by_itself_is_tried_first(tmp_path: Path) -> None:
    found = find_float_set(a_job(tmp_path), COMPONENTS, lambda kept: sorted({"c", "d"} - kept), 10)
    assert [(s.kept, s.outcome, s.in_float) for s in found.steps[:2]] == [
        ([], "float", ["c", "d"]), (["c", "d"], "ok", []),
    ]  # fmt: skip
    assert found.kept == ["c", "d"] and len(found.steps) == 4


def test_a_network_that_is_taken_whole_needs_one_step(tmp_path: Path) -> None:
    found = find_float_set(a_job(tmp_path), COMPONENTS, lambda kept: [], 10)
    assert (found.kept, found.minimal, len(found.steps)) == ([], True, 1)


def test_refused_whatever_stays_in_float(tmp_path: Path) -> None:
    found = find_float_set(a_job(tmp_path), COMPONENTS, needing("nothing there"), 10)
    assert (found.kept, found.minimal) == (COMPONENTS, False)
    assert [step.kept for step in found.steps] == [[], COMPONENTS]


def test_what_was_too_slow_to_tell_is_no_minimal_set(tmp_path: Path) -> None:
    def slow_alone(kept: frozenset[str]) -> Sequence[str]:
        if kept == {"b"}:
            time.sleep(60)
        found: Sequence[str] = needing("b", "e")(kept)
        return found

    found = find_float_set(a_job(tmp_path), COMPONENTS, slow_alone, 1)
    assert not found.minimal and "timeout" in {step.outcome for step in found.steps}
    job = a_job(tmp_path)
    recipe = QuantizeCaptionerRecipe(
        calibration_images=1, test_images=1, left_in_float="what has to be", step_s=0.2
    )
    with pytest.raises(NotNow, match="a step took longer than"):
        float_sets.chosen(job, recipe, lambda kept, removed: sleeping(kept))
    assert job.float_set is not None and not job.float_set.minimal


def without(*unwanted: str, in_float: Sequence[str] = ()) -> Any:
    """A network that is refused as long as it has these, and leaves others in float by itself."""

    def attempt(kept: frozenset[str], removed: Sequence[str]) -> Sequence[str]:
        left = set(unwanted) - set(removed)
        if left:
            raise RuntimeError(f"no kernel for {min(left)}")
        return [name for name in in_float if name not in kept]

    return attempt


def test_what_has_to_be_taken_out_is_found(tmp_path: Path) -> None:
    refusing = without("b", "d", in_float=["e"])
    found = find_removal(
        a_job(tmp_path), COMPONENTS, lambda parts: refusing(frozenset(), sorted(parts)), 10
    )
    assert found.removed == ["b", "d"]
    tried = [(step.removed, step.outcome) for step in found.steps]
    assert tried[0] == (COMPONENTS, "float") and {tuple(step.kept) for step in found.steps} == {()}
    assert ([], "refused") in tried and (["b"], "refused") in tried and (["d"], "refused") in tried


def searched(folder: Path, attempt: Any) -> tuple[float_sets.Choice, FloatSet]:
    job = a_job(folder)
    recipe = QuantizeCaptionerRecipe(
        calibration_images=1, test_images=1, left_in_float="what has to be", step_s=10
    )
    choice = float_sets.chosen(job, recipe, attempt)
    assert job.float_set is not None
    return choice, job.float_set


def test_where_all_in_float_is_refused_parts_are_taken_out(tmp_path: Path) -> None:
    attempt = without("layer-normalisation", in_float=["token-embedding"])
    choice, found = searched(tmp_path, attempt)
    assert choice == float_sets.Choice(frozenset(["token-embedding"]), ("layer-normalisation",))
    assert (found.kept, found.removed, found.minimal) == (
        ["token-embedding"], ["layer-normalisation"], True,
    )  # fmt: skip
    first, second = found.steps[:2]
    assert (first.kept, first.removed, first.outcome) == ([], [], "refused")
    assert (second.removed, second.outcome) == ([], "refused") and "token-embedding" in second.kept
    assert found.steps[-1].removed == ["layer-normalisation"]
    assert searched(tmp_path, attempt)[1].kept == found.kept


def test_what_goes_with_a_part_is_no_component_any_more(tmp_path: Path) -> None:
    choice, found = searched(tmp_path, without("self-attention"))
    assert choice == float_sets.Choice(frozenset(), ("self-attention",))
    assert [step.kept for step in found.steps if step.removed == ["self-attention"]][-1] == []
    assert "self-attention-scores" not in found.components
    assert "cross-attention-scores" in found.components


def test_refused_whatever_is_taken_out(tmp_path: Path) -> None:
    told = "refused whatever stays in float, and refused whatever is taken out: RuntimeError: no "
    with pytest.raises(Unsupported, match=told):
        searched(tmp_path, without("a picture"))


def test_a_network_that_is_taken_in_float_alone_is_not_quantized(tmp_path: Path) -> None:
    def attempt(kept: frozenset[str], removed: Sequence[str]) -> Sequence[str]:
        if len(kept) < 11:
            raise TypeError("no words here")
        return []

    told = "taken with all of it in float alone, and refused whatever is taken out: TypeError: no w"
    with pytest.raises(Unsupported, match=told):
        searched(tmp_path, attempt)


def test_nor_is_one_whose_rest_is_taken_in_float_alone(tmp_path: Path) -> None:
    with pytest.raises(Unsupported, match="refused without layer-normalisation, too"):
        searched(tmp_path, without("layer-normalisation", in_float=COMPONENTS_OF_IT))


def test_a_cell_says_what_was_taken_out(tmp_path: Path) -> None:
    job = a_job(tmp_path)
    float_sets.record(job, ["token-embedding"], float_sets.Choice(removed=("self-attention",)))
    of = {(one.name, one.label): one for one in job.metrics}
    assert of["float_component", "self-attention-scores"].samples == [None]
    assert of["float_component", "self-attention-scores"].reason == "taken out of the network"
    assert of["float_component", "token-embedding"].samples == [1]
    assert of["removed_component", "self-attention-projections"].samples == [1]
    assert of["removed_component", "feed-forward"].samples == [0]
    whole = a_job(tmp_path)
    float_sets.record(whole, [], float_sets.Choice())
    assert {one.name for one in whole.metrics} == {"float_component"}


def test_a_child_that_takes_too_long_is_killed() -> None:
    begin = time.monotonic()
    step = in_child(sleeping, ["a"], 0.3)
    assert (step.outcome, step.kept) == ("timeout", ["a"])
    assert time.monotonic() - begin < 10


@pytest.mark.parametrize("number", [signal.SIGSEGV, signal.SIGABRT])
def test_a_crash_ends_the_child_only(number: signal.Signals) -> None:
    def crashing(kept: frozenset[str]) -> Sequence[str]:
        faulthandler.disable()  # this process' own, which would tell of it here
        os.kill(os.getpid(), number)
        return []

    step = in_child(crashing, [], 10)
    assert (step.outcome, step.words) == ("crashed", f"the process ended by {number.name}")


def test_keras_says_where_first_and_then_what() -> None:
    error = TypeError(
        'Exception encountered when calling layer "quantize_layer_1" (type QuantizeLayer).\n\n'
        "in user code:\n\n    TypeError: Input 'inputs' has type int32 that does not match.\n\n"
        "Call arguments received by layer"
    )
    assert refusal(error) == "TypeError: Input 'inputs' has type int32 that does not match."
    assert refusal(RuntimeError("one\ntwo")) == "RuntimeError: one"
