"""What studies can name of the runners that are here, read from their files; none is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from manifests import paths

_MARKS = ("framework.toml", "ladder.toml")
_READ = re.compile(r"""recipe(?:\.get\(|\[)["'](\w+)["']""")


def framework_folders() -> dict[str, Path]:
    """The folder of each framework that has runners here."""
    root = paths.ROOT / "runners"
    found = {path.parent.name: path.parent for mark in _MARKS for path in root.glob(f"*/{mark}")}
    return dict(sorted(found.items()))


def technique_names(framework: str) -> list[str]:
    """The techniques of a framework: a file each. None where it has no runners here."""
    folder = framework_folders().get(framework)
    files = sorted(folder.glob("[a-z]*.py")) if folder is not None else []
    return [path.stem.replace("_", "-") for path in files]


@cache
def recipe_keys() -> frozenset[str]:
    """Every key that some task of the runners reads from its recipe."""
    root = paths.ROOT / "runners"
    return frozenset(key for path in sorted(root.rglob("*.py")) for key in _keys(path))


def _keys(path: Path) -> Iterator[str]:
    """The fields of classes that are read from a recipe, and keys that are asked for by name."""
    text = path.read_text(encoding="utf-8")
    yield from _READ.findall(text)
    if "Recipe" not in text and "Protocol" not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef) and node.name.endswith(("Recipe", "Protocol")):
            for field in node.body:
                if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
                    yield field.target.id
