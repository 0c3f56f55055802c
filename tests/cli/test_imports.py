"""Listing and planning import no framework, and help imports next to nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT, Workshop

FRAMEWORKS = ["torch", "tensorflow", "tf_keras", "ai_edge_litert", "tensorflow_model_optimization"]
HEAVY = ["numpy", "rich", "sklearn", "PIL", "pooch", "msgspec"]
PROGRAM = """
import atexit, sys
atexit.register(lambda: print("imported:", *sys.modules, file=sys.stderr))
from cli.main import main
main()
"""


def imported(workshop: Workshop, *arguments: str) -> set[str]:
    """The modules that a command has imported when it ends."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, env=workshop.environment,
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    return set(done.stderr.split("imported:")[1].split())


@pytest.mark.parametrize(
    "command",
    [
        ["plan", "toy"],
        ["plan", "toy", "--json"],
        ["studies", "toy"],
        ["images", "list"],
        ["status"],
        ["doctor", "--json"],
    ],
)
def test_no_framework_is_imported(workshop: Workshop, command: list[str]) -> None:
    assert not imported(workshop, *command) & {*FRAMEWORKS, "sklearn"}


@pytest.mark.parametrize("command", [["--help"], ["run", "--help"]])
def test_help_imports_next_to_nothing(workshop: Workshop, command: list[str]) -> None:
    assert not imported(workshop, *command) & {*FRAMEWORKS, *HEAVY}


def test_a_table_needs_no_numbers_library(workshop: Workshop) -> None:
    workshop.run("-k", "alpha and train")
    assert not imported(workshop, "table", "toy") & {*FRAMEWORKS, "numpy", "sklearn"}
