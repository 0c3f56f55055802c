"""Listing and planning import no framework, and help imports next to nothing."""

from __future__ import annotations

import pytest

from tests.cli.imported import FRAMEWORKS, imported
from tests.conftest import Workshop

HEAVY = ["numpy", "rich", "sklearn", "PIL", "pooch", "msgspec"]


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
