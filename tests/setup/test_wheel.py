"""A wheel in an environment of its own: one import name, and the whole application behind it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.installed import build_wheel, install_wheel, ran

OURS = ("manifests", "machine", "runners", "papers", "comparisons", "orchestrator", "services",
        "cli", "tui")  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_wheel(wheel, tmp_path_factory.mktemp("application"))


def test_everything_lies_inside_one_import_name(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == {"repliquant"}
    inside = {name.split("/")[1] for name in names if name.startswith("repliquant/")}
    assert {*OURS, "studies", "images", "docs", "__init__.py"} <= inside
    assert not [name for name in names if "__pycache__" in name or "/tests/" in name]


def test_no_name_of_ours_is_taken_in_the_environment(installed: Path, tmp_path: Path) -> None:
    script = (
        "from importlib.util import find_spec\n"
        f"print([name for name in {OURS!r} if find_spec(name)], bool(find_spec('repliquant')))"
    )
    assert ran([installed, "-c", script], tmp_path) == "[] True\n"


def test_the_application_lists_plans_and_audits(installed: Path, tmp_path: Path) -> None:
    program = installed.with_name("repliquant")
    assert "lad2023" in ran([program, "studies"], tmp_path)
    assert "cells" in ran([program, "plan", "lad2023"], tmp_path)
    assert ran([program, "audit", "lad2023", "--json"], tmp_path).startswith("{")


def test_a_run_is_read_without_taking_names_of_the_callers(installed: Path, tmp_path: Path) -> None:
    demo = ROOT / "tui" / "demo" / "lad2023-quick-digits"
    (tmp_path / "cli.py").write_text("MINE = True\n")
    script = (
        "import repliquant, cli\n"
        f"print(len(repliquant.read_run({str(demo)!r}).manifests) > 3, cli.MINE)"
    )
    assert ran([installed, "-c", script], tmp_path) == "True True\n"
    (tmp_path / "manifests.py").write_text("")
    script = f"import repliquant\nrepliquant.read_run({str(demo)!r})"
    with pytest.raises(AssertionError, match="Write the tables with 'repliquant export'"):
        ran([installed, "-c", script], tmp_path)
