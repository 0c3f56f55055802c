"""What has to stay in float, as people read it."""

from __future__ import annotations

import msgspec

from comparisons.render.float_set_rows import float_set_rows, float_set_steps
from manifests.float_set import FloatSet, FloatSetStep
from manifests.manifest import Manifest
from tests.manifests.samples import a_manifest

STEPS = [
    FloatSetStep(kept=[], outcome="refused", words="no kernel", seconds=2.0),
    FloatSetStep(kept=["a", "b"], outcome="ok", seconds=1.5),
    FloatSetStep(kept=["a"], outcome="float", in_float=["b"], seconds=1.0),
]


def with_set(found: FloatSet | None) -> Manifest:
    return msgspec.structs.replace(a_manifest(), float_set=found)


def test_the_set_the_steps_and_the_refusal_are_told() -> None:
    found = FloatSet(components=["a", "b", "c"], kept=["a", "b"], minimal=True, steps=STEPS)
    assert float_set_rows(with_set(found)) == [
        ("has to stay in float", "a, b"),
        ("found in", "3 steps (1 refused, 1 ok, 1 float), 4 s"),
        ("the whole network", "refused: no kernel"),
    ]
    assert float_set_steps(with_set(found)) == [
        ("nothing", "refused", "no kernel"), ("a, b", "ok", ""), ("a", "float", "in float: b"),
    ]  # fmt: skip


def test_a_whole_network_needs_nothing_in_float() -> None:
    step = FloatSetStep(kept=[], outcome="ok", seconds=1.0)
    found = FloatSet(components=["a"], kept=[], minimal=True, steps=[step])
    assert float_set_rows(with_set(found))[0] == ("has to stay in float", "nothing")
    assert float_set_rows(with_set(found))[2] == ("the whole network", "ok")


def test_a_cell_that_did_not_look_says_nothing() -> None:
    assert float_set_rows(with_set(None)) == []
    assert float_set_steps(with_set(None)) == []
