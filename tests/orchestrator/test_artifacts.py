"""No cell starts from, and no archive is made of, files that are not what was recorded."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Workshop
from tests.orchestrator.reading import TITLES, attempts_aside, ids, manifests, statuses, the_run

pytestmark = pytest.mark.cells
ALPHA = ("-k", "alpha")
CHANGED = "weights.bin was changed: its SHA-256 is not the one in its manifest"
DAMAGES = {
    CHANGED: lambda path: path.write_bytes(b"wEights"),
    "weights.bin has 8 bytes; its manifest says 7": lambda path: path.write_bytes(b"weights "),
    "weights.bin is missing": lambda path: path.unlink(),
}


@pytest.fixture
def trained(workshop: Workshop, drawing: Path) -> Workshop:
    """A workshop in which only the training has been run."""
    workshop.run("-k", "alpha and train")
    shutil.copytree(drawing, workshop.folder / "cache" / "charts")
    return workshop


def weights(workshop: Workshop) -> Path:
    return the_run(workshop).cell_folder(ids(workshop)[TITLES[0]]) / "weights.bin"


@pytest.mark.first(1)
@pytest.mark.parametrize(("wrong", "damage"), DAMAGES.items())
def test_a_cell_does_not_start_from_weights_that_are_not_as_recorded(
    trained: Workshop, wrong: str, damage: Callable[[Path], object]
) -> None:
    damage(weights(trained))
    told = trained.run(*ALPHA, status=1).stderr
    parent = ids(trained)[TITLES[0]]
    reason = f"starts from cell {parent}, whose {wrong}. Make it again: --rerun {parent}"
    assert manifests(trained)[TITLES[2]].reason == reason
    assert reason in " ".join(told.split())
    assert statuses(trained) == ["ok", "-", "unsupported", "unsupported", "-", "-"]
    assert len(trained.executed()) == 1
    trained.run(*ALPHA, status=1)

    trained.run(*ALPHA, "--rerun", parent)
    assert statuses(trained) == ["ok", "-", "ok", "ok", "-", "-"]
    assert weights(trained).read_bytes() == b"weights"


def test_weights_that_were_put_back_are_used(trained: Workshop) -> None:
    weights(trained).write_bytes(b"other")
    trained.run(*ALPHA, status=1)
    weights(trained).write_bytes(b"weights")
    trained.run(*ALPHA)
    assert statuses(trained) == ["ok", "-", "ok", "ok", "-", "-"]
    assert len(attempts_aside(trained)) == 2


def test_the_runner_looks_itself_at_what_it_reads(trained: Workshop) -> None:
    """What was right when the cell was started may be another when it is read."""
    trained.environment["FAKE_TAMPERS"] = "1"
    trained.run(*ALPHA, status=1)
    found = manifests(trained)[TITLES[2]]
    assert (found.status, found.transient) == ("unsupported", True)
    assert found.reason == f"starts from cell {ids(trained)[TITLES[0]]}, whose {CHANGED}"


@pytest.mark.thorough
def test_no_archive_is_made_of_weights_that_were_changed(finished: Workshop) -> None:
    run, parent = str(the_run(finished).folder), ids(finished)[TITLES[0]]
    weights(finished).write_bytes(b"wEights")
    told = finished("bundle", run, status=2).stderr
    assert f"{CHANGED} (cell {parent})" in told
    assert f"--rerun {parent}" in told
    assert not list(finished.folder.glob("*.zip"))
    shown = finished("show", parent).stdout
    assert f"not as recorded: {CHANGED}" in shown

    finished.run("--rerun", parent)
    finished("bundle", run, "-o", "good.zip")
    assert "good.zip: archive verified" in finished("verify", "good.zip").stdout


def test_models_that_were_removed_are_only_missed_where_they_are_asked_for(
    finished: Workshop,
) -> None:
    run, parent = str(the_run(finished).folder), ids(finished)[TITLES[0]]
    finished("bundle", run, "--artifacts", "-o", "full.zip")
    weights(finished).unlink()
    told = finished("bundle", run, "--artifacts", status=2).stderr
    assert f"weights.bin is missing (cell {parent})" in told
    finished("bundle", run, "-o", "bare.zip")
    for name in ("full.zip", "bare.zip"):
        assert f"{name}: archive verified" in finished("verify", name).stdout


def test_telemetry_that_was_changed_is_noticed(finished: Workshop) -> None:
    run, parent = the_run(finished), ids(finished)[TITLES[0]]
    path = run.cell_folder(parent) / "telemetry.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    told = finished("bundle", str(run.folder), status=2).stderr
    assert (
        f"telemetry.jsonl was changed: its SHA-256 is not the one in its manifest (cell {parent})"
        in told
    )
