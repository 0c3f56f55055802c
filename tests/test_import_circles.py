"""Every import points one way: no circle among our modules, those for types alone included."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "manifests", "machine", "runners", "papers", "comparisons", "orchestrator", "services", "cli",
    "tui",
)  # fmt: skip

Imports = Mapping[str, set[str]]


def modules_of(root: Path, packages: tuple[str, ...]) -> dict[str, Path]:
    """The files of the packages by the names that they are imported under."""
    found = {}
    for package in packages:
        for path in (root / package).rglob("*.py"):
            name = ".".join(path.relative_to(root).with_suffix("").parts)
            found[name.removesuffix(".__init__")] = path
    return found


def imports_of(modules: Mapping[str, Path]) -> dict[str, set[str]]:
    """What each module names in an import, wherever that stands: in a function, or for types."""
    return {name: set(_named(path, modules)) - {name} for name, path in modules.items()}


def _named(path: Path, modules: Mapping[str, Path]) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                named = inner if inner in modules else node.module
                if named in modules:
                    yield named


def circles(imports: Imports) -> list[list[str]]:
    """Modules of which each leads to every other; what leads nowhere is taken away first."""
    left = {name: set(named) for name, named in imports.items()}
    found = []
    while left:
        start = next(iter(left))
        there = reached(start, left)
        circle = {name for name in there if start in reached(name, left)}
        if circle:
            found.append(sorted(circle))
        for name in circle | {start}:
            left.pop(name, None)
    return found


def reached(start: str, imports: Imports) -> set[str]:
    """Everything that ``start`` leads to, over one import or more."""
    seen: set[str] = set()
    todo = list(imports.get(start, ()))
    while todo:
        name = todo.pop()
        if name in imports and name not in seen:
            seen.add(name)
            todo += imports[name]
    return seen


def test_no_module_leads_back_to_itself() -> None:
    assert circles(imports_of(modules_of(ROOT, PACKAGES))) == []


def test_a_circle_for_types_alone_is_found(tmp_path: Path) -> None:
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "ground.py").write_text("import os\n")
    (folder / "app.py").write_text("from toy.page import Page\nfrom toy import ground\n")
    (folder / "page.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from toy.app import App\n"
    )
    assert circles(imports_of(modules_of(tmp_path, ("toy",)))) == [["toy.app", "toy.page"]]


@pytest.mark.parametrize(
    ("imports", "expected"),
    [
        ({"a": {"b"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, [["a", "b", "c"]]),
        ({"a": {"b", "c"}, "b": {"a"}, "c": {"d"}, "d": {"c"}}, [["a", "b"], ["c", "d"]]),
    ],
)
def test_circles_of_any_length_are_found(
    imports: dict[str, set[str]], expected: list[list[str]]
) -> None:
    assert circles(imports) == expected
