"""Every test that the docs name is there, in the file that they name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NAMED = re.compile(r"\b(tests/[\w/]+\.py)(?:::(\w+))?")


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_what_a_page_names_is_there(page: Path) -> None:
    for path, name in _NAMED.findall(page.read_text()):
        assert (ROOT / path).is_file(), f"{page.name} names {path}"
        if name:
            assert f"def {name}(" in (ROOT / path).read_text(), f"{page.name} names {path}::{name}"
