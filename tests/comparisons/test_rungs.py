"""Ladders, the paths on them, and the factors of their steps."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comparisons.factors import Factor, take_apart
from manifests.runner_files import technique_files
from papers.ladders import Ladders, Node, Rung, framework_rungs

RUNGS = list(framework_rungs())
LADDERS = Ladders(RUNGS)
OTHER_ROOTS = {"model-file", "from-tflite-float32", "cuda"}
FRAMEWORKS = sorted({rung.framework for rung in RUNGS})


def path_to(framework: str, technique: str) -> list[str]:
    path = LADDERS.path_to(Node(framework, technique))
    assert {node.framework for node in path} == {framework}
    return [node.technique for node in path]


def factors_of(framework: str, technique: str, times: dict[str, float]) -> list[Factor]:
    nodes = {Node(framework, name): value for name, value in times.items()}
    return take_apart(LADDERS, Node(framework, technique), nodes)


def test_a_path_goes_from_the_root_to_the_technique() -> None:
    assert path_to("tensorflow", "ptq-tflite") == [
        "keras-predict", "keras-call", "signature", "tflite-float32", "ptq-tflite",
    ]  # fmt: skip
    assert path_to("pytorch", "ptq-pt2e") == ["float32", "channels-last", "compiled", "ptq-pt2e"]
    assert path_to("tensorflow", "keras-predict") == ["keras-predict"]


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_rung_is_a_technique_and_ends_at_one_root(framework: str) -> None:
    """Beside it only what starts from another file, or computes on another device."""
    known = set(technique_files(framework))
    listed = {rung.technique for rung in RUNGS if rung.framework == framework}
    assert listed <= known
    roots = {path_to(framework, name)[0] for name in listed}
    assert len(roots - OTHER_ROOTS) == 1 and roots <= known


def test_each_step_counts_for_its_own_kind() -> None:
    times = {
        "keras-predict": 60.0, "keras-call": 40.0, "signature": 20.0, "tflite-float32": 10.0,
        "ptq-tflite": 2.5,
    }  # fmt: skip
    factors = factors_of("tensorflow", "ptq-tflite", times)
    assert [(factor.kind, factor.value) for factor in factors] == [
        ("calling convention", 3.0), ("compiler", 2.0), ("precision", 4.0),
    ]  # fmt: skip
    assert sum(factor.share or 0 for factor in factors) == pytest.approx(1.0)


def test_steps_that_were_not_measured_join_what_can_not_be_told_apart() -> None:
    times = {"keras-predict": 40.0, "tftrt-fp32": 5.0, "tftrt-int8": 2.0}
    assert [(f.kind, f.value) for f in factors_of("tensorflow", "tftrt-int8", times)] == [
        ("calling convention x compiler", 8.0), ("precision", 2.5),
    ]  # fmt: skip
    without_call = {"keras-predict": 40.0, "signature": 20.0}
    (only,) = factors_of("tensorflow", "signature", without_call)
    assert only[:3] == ("calling convention", 2.0, 1.0)


def test_no_speedup_has_no_shares() -> None:
    (only,) = factors_of("tensorflow", "signature", {"keras-predict": 3.0, "signature": 3.0})
    assert (only.value, only.share) == (1.0, None)


@given(st.data())
def test_the_product_of_the_factors_is_always_the_total(data: st.DataObject) -> None:
    framework = data.draw(st.sampled_from(FRAMEWORKS))
    technique = data.draw(
        st.sampled_from(sorted({rung.technique for rung in RUNGS if rung.framework == framework}))
    )
    path = path_to(framework, technique)
    between = data.draw(st.sets(st.sampled_from(path)))
    seconds = st.floats(1e-3, 1e3)
    times = {rung: data.draw(seconds) for rung in {path[0], technique, *between}}
    product = math.prod(factor.value for factor in factors_of(framework, technique, times))
    assert product == pytest.approx(times[path[0]] / times[technique])


def test_rungs_in_a_circle_end_nowhere_and_are_found() -> None:
    circle = Ladders(
        [
            Rung(framework="x", technique="a", after="b", changes="compiler"),
            Rung(framework="x", technique="b", after="a", changes="compiler"),
        ]
    )
    assert len(circle.circle()) == 3
    assert circle.path_to(Node("x", "a")) == [Node("x", "b"), Node("x", "a")]
