"""Who imports what of the frameworks, found by looking at their folders: a new one is held too."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from manifests.paths import ROOT
from manifests.runner_files import framework_folders

HOUSE = ("manifests", "machine", "runners", "papers", "comparisons", "orchestrator", "services",
         "cli", "tui")  # fmt: skip
EXCHANGE = {"onnx": ROOT / "runners" / "onnx_models"}
"""ONNX computes nothing: it writes the one form that several frameworks read."""
SHARED = {"numpy", "msgspec", *HOUSE, *sys.stdlib_module_names}


def imported(path: Path) -> Iterator[str]:
    """Every module that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def modules_of(folder: Path) -> set[str]:
    return {name for path in folder.rglob("*.py") for name in imported(path)}


def own_packages() -> dict[str, set[str]]:
    """The third-party packages that the files of each framework import."""
    return {
        name: {module.partition(".")[0] for module in modules_of(folder)} - SHARED
        for name, folder in framework_folders().items()
    }


@pytest.mark.parametrize("name", list(framework_folders()))
def test_frameworks_dont_see_each_other(name: str) -> None:
    others = [f"runners.{other}" for other in framework_folders() if other != name]
    found = modules_of(framework_folders()[name])
    assert [m for m in found for other in others if f"{m}.".startswith(f"{other}.")] == []
    assert own_packages()[name], "a framework's folder imports the framework"


def test_a_framework_is_imported_only_in_its_own_folder() -> None:
    packages = {package for found in own_packages().values() for package in found}
    packages.update(EXCHANGE)
    assert {"torch", "tensorflow", "ai_edge_litert"} <= packages
    folders = list(framework_folders().values())
    for top in HOUSE:
        for path in (ROOT / top).rglob("*.py"):
            if not any(folder in path.parents for folder in folders):
                found = {module.partition(".")[0] for module in imported(path)} & packages
                found = {name for name in found if EXCHANGE.get(name) not in path.parents}
                assert not found, f"{path} imports {found}"


def test_the_rest_of_the_runners_names_no_framework_folder() -> None:
    """They are found by what a cell says."""
    folders = framework_folders()
    for path in sorted((ROOT / "runners").rglob("*.py")):
        if not any(folder in path.parents for folder in folders.values()):
            found = {
                m for m in imported(path) for name in folders if m.startswith(f"runners.{name}")
            }
            assert not found, f"{path} imports {found}"
