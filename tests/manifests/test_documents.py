"""A mistake in a TOML document is answered with its file, line and key."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from manifests.documents import DocumentError, read_toml


class Limit(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    seconds: float


class Group(msgspec.Struct, forbid_unknown_fields=True):
    task: str
    batch_size: list[int] = []
    limits: list[Limit] = []


class Axes(msgspec.Struct, forbid_unknown_fields=True):
    model: str
    seed: int


class Document(msgspec.Struct, forbid_unknown_fields=True):
    id: str
    axes: Axes
    groups: list[Group]


GOOD = """\
# A study.
id = "lad2023"

[axes]
model = "resnet18"
seed = 1

[[groups]]
task = "train"
batch_size = [32, 128]

[[groups]]
task = "infer"

[[groups.limits]]
name = "quick"
seconds = 60

[[groups.limits]]
name = "paper"
seconds = 3600.0
"""


def _refusal(path: Path) -> str:
    with pytest.raises(DocumentError) as caught:
        read_toml(path, Document)
    return str(caught.value)


def test_a_good_document_is_read(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text(GOOD)
    document = read_toml(path, Document)
    assert document.axes == Axes(model="resnet18", seed=1)
    assert document.groups[1].limits[0] == Limit(name="quick", seconds=60.0)


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('id = "lad2023"', "id = 3", 2, "id: Expected `str`, got `int`"),
        ("seed = 1", 'seed = "one"', 6, "axes.seed: Expected `int`, got `str`"),
        ("seed = 1", "seed = 1.5", 6, "axes.seed: Expected `int`, got `float`"),
        ("seed = 1", "", 4, "axes.seed: Object missing required field `seed`"),
        ("seed = 1", "seed = 1\nsead = 2", 7,
         "axes.sead: Object contains unknown field `sead`. Did you mean 'seed'? "
         "Accepted: model, seed"),
        ("[32, 128]", '[32, "128"]', 10, "groups.batch_size: Expected `int`, got `str`"),
        ('task = "infer"', "task = 5", 13, "groups.task: Expected `str`, got `int`"),
        ('task = "infer"', "", 12, "groups.task: Object missing required field `task`"),
        ("seconds = 60\n", 'seconds = "60"\n', 17,
         "groups.limits.seconds: Expected `float`, got `str`"),
        ("seconds = 3600.0", "seconds = true", 21,
         "groups.limits.seconds: Expected `float`, got `bool`"),
        ("seconds = 3600.0", "seconds = 1\nhours = 1", 22,
         "groups.limits.hours: Object contains unknown field `hours`. Accepted: name, seconds"),
        ('name = "paper"\n', "", 19, "groups.limits.name: Object missing required field `name`"),
    ],
)  # fmt: skip
def test_a_mistake_is_found_by_line_and_key(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    path = tmp_path / "study.toml"
    assert GOOD.count(old) == 1
    path.write_text(GOOD.replace(old, new))
    assert _refusal(path) == f"{path}:{line}: {message}"


@pytest.mark.parametrize(
    ("old", "new", "line"), [('"lad2023"', "lad2023", 2), ("[axes]", "[axes", 4), ("60", "6 0", 17)]
)
def test_what_is_not_toml_is_found_by_line(tmp_path: Path, old: str, new: str, line: int) -> None:
    path = tmp_path / "study.toml"
    path.write_text(GOOD.replace(old, new))
    assert _refusal(path).startswith(f"{path}:{line}: not TOML: ")


def test_a_document_that_stops_too_early_says_so(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('id = "lad2023')
    assert _refusal(path).startswith(f"{path}:")
    assert "not TOML" in _refusal(path)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text('id = "x"\n')
    assert _refusal(path) == f"{path}:1: axes: Object missing required field `axes`"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    assert _refusal(path).startswith(f"{path} can't be read: [Errno 2] No such file or directory")


def test_a_folder_is_no_document(tmp_path: Path) -> None:
    assert _refusal(tmp_path).startswith(f"{tmp_path} can't be read: ")


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(b"id = '\xff'")
    assert _refusal(path).startswith(f"{path} can't be read: 'utf-8' codec can't decode")


def test_brackets_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_text("a = " + "[" * 100_000)
    assert _refusal(path) == f"{path}:1: not TOML: nested too deep"
