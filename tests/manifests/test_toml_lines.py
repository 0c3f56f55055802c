"""Every key of a TOML document is found on its line, whatever its values look like."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from manifests.paths import ROOT
from manifests.toml_lines import Steps, key_lines, line_of

TEXT = '''\
# a comment = 1
id = "x"   # [not.a.table]
"quoted key" = 2
dotted.inner.deep = [
  "a = 1",
  "[[cells]]",
]
long = """
[cells]
b = 1
"""

[one.two]
three = { four = 4 }

[[cells]]
task = "train"

[[cells]]
task = "infer"
  [[cells.part]]
  name = 'x'

  [[cells.part]]
  name = 'y'
  [cells.part.only]
  quick = 1
'''


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (("id",), 2),
        (("quoted key",), 3),
        (("dotted", "inner", "deep"), 4),
        (("long",), 8),
        (("one", "two"), 13),
        (("one", "two", "three"), 14),
        (("cells", 0, "task"), 17),
        (("cells", 1), 19),
        (("cells", 1, "part", 0, "name"), 22),
        (("cells", 1, "part", 1, "name"), 25),
        (("cells", 1, "part", 1, "only", "quick"), 27),
    ],
)
def test_keys_are_found(steps: Steps, line: int) -> None:
    assert key_lines(TEXT)[steps] == line


def test_nothing_in_texts_and_lists_is_a_key() -> None:
    assert not {("a",), ("b",), ("cells",)} & key_lines(TEXT).keys()


def test_what_is_not_there_has_the_line_of_what_is_around_it() -> None:
    assert line_of(TEXT, ("cells", 0, "device")) == 16
    assert line_of(TEXT, ("nowhere",)) == 1


def test_a_value_is_found_in_its_own_part() -> None:
    assert line_of(TEXT, ("dotted",), "[[cells]]") == 6
    assert line_of(TEXT, ("cells", 1, "part", 1), "y") == 25
    assert line_of(TEXT, ("cells", 0), "infer") == 16


def paths_of(data: Any, steps: Steps = ()) -> list[Steps]:
    if not isinstance(data, dict):
        return [steps]
    return [one for key, value in data.items() for one in paths_of(value, (*steps, key))]


@pytest.mark.parametrize("path", sorted(ROOT.glob("studies/*/study.toml")), ids=str)
def test_every_table_of_a_real_study_is_found(path: Any) -> None:
    text = path.read_text()
    lines = key_lines(text)
    data = tomllib.loads(text)
    for index, group in enumerate(data["cells"]):
        for key in group:
            line = text.split("\n")[lines[("cells", index, key)] - 1]
            assert line.startswith(key)
    for name in data["recipes"]:
        assert text.split("\n")[lines[("recipes", name)] - 1] == f"[recipes.{name}]"
