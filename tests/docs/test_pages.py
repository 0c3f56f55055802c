"""The pages on adding things say what docs/example has, and the reference what the types say."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from services import reference
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = [DOCS / name for name in ("add-a-study.md", "add-a-framework.md", "architecture.md")]
_QUOTED = re.compile(r"<!-- (\S+) -->\n```\w+\n(.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)\)")
_FILE = re.compile(r"`((?:manifests|orchestrator|runners|papers|comparisons)/[\w./]+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_a_page_quotes_stands_in_the_example(page: Path) -> None:
    text = page.read_text()
    for name, quoted in _QUOTED.findall(text):
        assert quoted in (DOCS / "example" / name).read_text(), f"{name}:\n{quoted}"
    assert len(_QUOTED.findall(text)) == text.count("```toml") + text.count("```python")


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_what_a_page_points_at_is_there(page: Path) -> None:
    text = page.read_text()
    for target in [*_LINK.findall(text), *(f"../{name}" for name in _FILE.findall(text))]:
        assert (DOCS / target).exists(), target


def test_the_reference_is_what_the_types_say() -> None:
    assert reference.PAGE.read_text() == reference.page(), "run: just docs"


class Inner(msgspec.Struct):
    """What is in it."""

    size_mb: int = 3


class Outer(msgspec.Struct):
    """The whole ``thing``."""

    name: str
    parts: list[Inner] = []
    maybe: float | None = None
    yes: bool = True


def test_the_reference_has_every_key_with_its_type_and_default() -> None:
    assert list(reference._file("thing.toml", "a thing", Outer)) == [
        "## `thing.toml`: a thing\n",
        "The whole `thing`.\n",
        "| key | is | without it |",
        "| --- | --- | --- |",
        "| `name` | text | *required* |",
        "| `parts` | list of table: [inner](#inner) | none |",
        "| `maybe` | number | none |",
        "| `yes` | `true` or `false` | `true` |",
        "",
        "### inner\n",
        "What is in it.\n",
        "| key | is | without it |",
        "| --- | --- | --- |",
        "| `size_mb` | whole number | `3` |",
        "",
    ]


def test_every_file_that_is_read_into_a_type_has_a_part() -> None:
    text = reference.page()
    for name in ("study.toml", "tables.toml", "claims.toml", "audit.toml", "image.toml",
                 "framework.toml"):  # fmt: skip
        assert re.search(rf"^## `(\w+/)?{re.escape(name)}`", text, re.MULTILINE), name
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert len(headings) == len(set(headings)), "a link would lead to another"
