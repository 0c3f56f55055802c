"""The identity of a cell."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import manifests
from manifests.cell import Cell, canonical_json, sha256_hex
from tests.manifests.old_python import python_3_8
from tests.manifests.samples import a_cell

ROOT = Path(manifests.__file__).parent.parent
CANONICAL = (
    b'{"batch_size":128,"dataset":"digits","framework":"pytorch","image_size":32,'
    b'"model":"resnet18","protocol":"rigorous",'
    b'"recipe":{"measure_count":64,"measure_s":1.5,"milestones":[0.5,0.75]},"seed":1,'
    b'"study":"lad2023","task":"infer","technique":"ptq-eager","tier":"quick"}'
)
ID = "b52068355a8f"
PRINT_ID = """
import sys, msgspec
from manifests.cell import Cell
print(msgspec.json.decode(sys.stdin.buffer.read(), type=Cell).id)
"""

finite = st.floats(allow_nan=False, allow_infinity=False)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | finite | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_a_cell_has_the_id_it_always_had() -> None:
    assert a_cell().id == ID


def test_the_canonical_form_is_sorted_compact_and_without_defaults() -> None:
    assert canonical_json(a_cell()) == CANONICAL
    assert sha256_hex(CANONICAL)[:12] == ID


def test_a_default_that_is_spelled_out_changes_nothing() -> None:
    spelled_out = a_cell(device="cpu", repeat=0, weights_from=None)
    assert canonical_json(spelled_out) == CANONICAL


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "gpu"},
        {"repeat": 1},
        {"weights_from": "0123456789ab"},
        {"seed": 2},
        {"recipe": {"measure_s": 1.5, "measure_count": 64, "milestones": [0.5]}},
        {"recipe": {"measure_s": 1.5, "measure_count": 64.0, "milestones": [0.5, 0.75]}},
    ],
)
def test_every_field_is_part_of_the_identity(changes: dict[str, Any]) -> None:
    assert a_cell(**changes).id != ID


def test_a_cell_read_from_json_in_any_key_order_has_the_same_id() -> None:
    fields = msgspec.to_builtins(a_cell())
    backwards = json.dumps(dict(reversed(fields.items())))
    assert msgspec.json.decode(backwards, type=Cell).id == ID


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="unknown field `colour`"):
        msgspec.convert({**msgspec.to_builtins(a_cell()), "colour": "red"}, Cell)


def test_letters_outside_of_ascii_are_escaped() -> None:
    assert canonical_json({"ü": "é"}) == b'{"\\u00fc":"\\u00e9"}'


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_json_does_not_have_is_refused(value: float) -> None:
    with pytest.raises(ValueError):
        canonical_json({"deep": [value]})
    with pytest.raises(ValueError):
        _ = a_cell(recipe={"momentum": value}).id


@given(plain)
def test_canonical_json_reads_back_as_what_was_written(value: Any) -> None:
    assert json.loads(canonical_json(value)) == value


@given(st.dictionaries(st.text(), plain, max_size=6))
def test_key_order_does_not_show(value: dict[str, Any]) -> None:
    assert canonical_json(dict(reversed(value.items()))) == canonical_json(value)


@given(st.dictionaries(st.text(), st.none() | finite | st.lists(finite, max_size=3), max_size=5))
def test_the_id_survives_being_written_and_read(recipe: dict[str, Any]) -> None:
    cell = a_cell(recipe=recipe)
    assert msgspec.json.decode(msgspec.json.encode(cell), type=Cell).id == cell.id


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "pytorch infer ptq-eager resnet18 32 px batch 128"),
        (
            {"device": "gpu", "repeat": 2},
            "pytorch infer ptq-eager resnet18 32 px batch 128 gpu repeat 2",
        ),
        ({"model": "none"}, "pytorch infer ptq-eager batch 128"),
        ({"seed": 3}, "pytorch infer ptq-eager resnet18 32 px batch 128 seed 3"),
        (
            {"protocol": "as-published"},
            "pytorch infer ptq-eager resnet18 32 px batch 128 as-published",
        ),
    ],
)
def test_the_title_names_what_is_not_usual(changes: dict[str, Any], title: str) -> None:
    assert a_cell(**{"seed": 0, **changes}).title == title


def test_python_3_8_gives_the_same_id() -> None:
    python = python_3_8()
    ids = [_id_in(python, cell) for cell in (a_cell(), _awkward_cell())]
    assert ids == [ID, _awkward_cell().id]


def _awkward_cell() -> Cell:
    """Numbers and letters that two JSON writers could spell in two ways."""
    return a_cell(
        dataset="Zürich-猫-😀",
        recipe={"a": 1e16, "b": 1e-7, "c": -0.0, "d": 0.1, "e": True, "f": None, "g": [1e22]},
    )


def _id_in(python: str, cell: Cell) -> str:
    done = subprocess.run(
        [python, "-c", PRINT_ID],
        input=msgspec.json.encode(cell),
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
    return done.stdout.decode().strip()


def test_a_text_that_equals_a_default_is_left_out_whatever_object_it_is() -> None:
    cell = a_cell()
    spelled = "".join(["c", "pu"])  # as it comes from a command line: not the constant itself
    assert a_cell(device=spelled).id == cell.id
