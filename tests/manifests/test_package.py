"""The ground floor and the runners stay readable by Python 3.8, and free of frameworks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import manifests
from tests.manifests.old_python import python_3_8

ROOT = Path(manifests.__file__).parent.parent
OLD_PYTHON = sorted(
    str(path.relative_to(ROOT))
    for name in ("manifests", "machine", "runners")
    for path in (ROOT / name).rglob("*.py")
)
FRAMEWORKS = ["torch", "tensorflow", "tf_keras", "tensorflow_model_optimization", "ai_edge_litert"]
IMPORT_ALL = """
import importlib, pkgutil, sys
for name in sys.argv[1].split(","):
    package = importlib.import_module(name)
    print(name)
    for module in pkgutil.walk_packages(package.__path__, name + "."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
            print(module.name)
print("foreign:", *sorted(set(sys.argv[2].split(",")) & set(sys.modules)))
"""


def _import_all(packages: str, unwanted: list[str]) -> list[str]:
    """What importing every module of ``packages`` prints: their names, then what came along."""
    done = subprocess.run(
        [sys.executable, "-B", "-c", IMPORT_ALL, packages, ",".join(unwanted)],
        capture_output=True, text=True, cwd=ROOT, check=True,
    )  # fmt: skip
    return done.stdout.splitlines()


@pytest.mark.parametrize("name", OLD_PYTHON)
def test_the_file_is_python_3_8(name: str) -> None:
    ast.parse((ROOT / name).read_text(encoding="utf-8"), name, feature_version=(3, 8))


def test_all_files_are_looked_at() -> None:
    assert {"manifests/cell.py", "runners/__main__.py", "runners/pytorch/float32.py"} <= set(
        OLD_PYTHON
    )


def test_a_real_python_3_8_compiles_all_of_them() -> None:
    code = (
        "import sys; [compile(open(n, encoding='utf-8').read(), n, 'exec') for n in sys.argv[1:]]"
    )
    done = subprocess.run(
        [python_3_8(), "-c", code, *OLD_PYTHON], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stderr == ""


@pytest.mark.parametrize("package", ["manifests", "machine", "runners"])
def test_a_real_python_3_8_imports_what_needs_no_framework(package: str) -> None:
    modules = [f"{package}.{path.stem}" for path in sorted((ROOT / package).glob("[!_]*.py"))]
    done = subprocess.run(
        [python_3_8(), "-B", "-c", f"import {', '.join(modules)}"],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert done.stderr == ""


def test_reading_planning_and_showing_import_no_framework() -> None:
    *names, foreign = _import_all("manifests,machine,papers,orchestrator,comparisons", FRAMEWORKS)
    assert foreign == "foreign:"
    assert {"manifests.codec", "orchestrator.planning.planner", "comparisons.comparison"} <= set(
        names
    )


def test_the_ground_floor_imports_msgspec_and_nothing_else() -> None:
    heavy = ["numpy", "click", "rich", "PIL", "sklearn", "pooch", "runners", "orchestrator"]
    *names, foreign = _import_all("manifests", [*FRAMEWORKS, *heavy])
    assert foreign == "foreign:"
    assert "manifests.run_folder" in names


def test_what_the_runners_share_imports_no_framework() -> None:
    modules = sorted(path.stem for path in (ROOT / "runners").glob("[!_]*.py"))
    code = f"import sys, {', '.join(f'runners.{name}' for name in modules)}\n" + (
        f"print(sorted(set({FRAMEWORKS!r}) & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout == "[]\n"
