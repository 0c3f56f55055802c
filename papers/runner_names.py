"""What studies can name of the runners that are here, read from their files; none is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from manifests.paths import runner_roots
from manifests.runner_files import technique_files

_READ = re.compile(r"""recipe(?:\.get\(|\[)["'](\w+)["']""")


def technique_names(framework: str) -> list[str]:
    """The techniques of a framework: a file each. None where it has no runners here."""
    return list(technique_files(framework))


class _Class(NamedTuple):
    """What a class is made from, and its fields."""

    bases: list[str]
    fields: list[str]


@cache
def recipe_keys() -> frozenset[str]:
    """Every key that some task of the runners reads from its recipe."""
    files = [path for root in runner_roots() for path in sorted(root.rglob("*.py"))]
    texts = [path.read_text(encoding="utf-8") for path in files]
    classes = {name: found for text in texts for name, found in _classes(text)}
    recipes = [name for name in classes if name.endswith("Recipe")]
    fields = {field for name in recipes for field in _fields(name, classes)}
    return frozenset(fields.union(*map(_READ.findall, texts)))


def _fields(name: str, classes: dict[str, _Class]) -> Iterator[str]:
    """A class's own, and those of what it is made from."""
    if name in classes:
        yield from (field for field in classes[name].fields if not field.isupper())
        for base in classes[name].bases:
            yield from _fields(base, classes)


def _classes(text: str) -> Iterator[tuple[str, _Class]]:
    try:
        tree = ast.parse(text)
    except SyntaxError:  # whoever runs it is told
        return
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
            fields = [
                one.target.id
                for one in node.body
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
            ]
            yield node.name, _Class(bases, fields)
