"""An environment that can't be made here: its cells are results, and others run."""

from __future__ import annotations

import json

from manifests.codec import read_manifest
from tests.conftest import Workshop


def without_python(workshop: Workshop, versions: str) -> None:
    """Both images want these versions of Python."""
    for name in ("alpha", "beta"):
        path = workshop.folder / "images" / name / "image.toml"
        path.write_text(path.read_text().replace('["3.11", "3.12", "3.13"]', versions))


def reasons(workshop: Workshop) -> set[str]:
    return {read_manifest(path).reason for path in workshop.manifests()}


def test_without_the_interpreter_every_cell_is_unsupported_and_says_where_was_looked(
    workshop: Workshop,
) -> None:
    without_python(workshop, '["2.2"]')
    told = workshop("run", "toy", "--engine", "local", status=3).stderr
    assert "6 cells: unsupported (no Python 2.2 found (looked at " in told
    (reason,) = reasons(workshop)
    assert reason.endswith("Install one, for example python2.2 with its venv package")


def test_an_image_that_is_a_container_only_says_so(workshop: Workshop) -> None:
    without_python(workshop, "[]")
    workshop("run", "toy", "--engine", "local", status=3)
    assert {reason.partition(" (")[0] for reason in reasons(workshop)} == {
        "alpha exists as a container only",
        "beta exists as a container only",
    }


def test_the_plan_says_already_which_cells_cannot_run_and_why(workshop: Workshop) -> None:
    without_python(workshop, '["2.2"]')
    plan = workshop("plan", "toy", "--engine", "local", "--json").stdout
    skips = {planned["skip"] for planned in json.loads(plan)["plan"]["cells"]}
    assert len(skips) == 1 and skips.pop().startswith("no Python 2.2 found (looked at ")


def test_an_engine_that_needs_no_environment_is_kept_from_nothing(workshop: Workshop) -> None:
    without_python(workshop, '["2.2"]')
    assert "can't run here" in workshop("plan", "toy", "--engine", "fake").stdout
    plan = workshop("plan", "toy", "--engine", "fake", "--json").stdout
    assert {planned["skip"] for planned in json.loads(plan)["plan"]["cells"]} == {""}


def test_what_is_wrong_with_tables_is_said_before_anything_of_the_plan(workshop: Workshop) -> None:
    tables = workshop.folder / "studies" / "toy" / "published" / "tables.toml"
    tables.write_text("[nonsense\n")
    done = workshop("plan", "toy", "--engine", "fake", status=2)
    assert done.stdout == ""
    assert "tables.toml" in done.stderr
