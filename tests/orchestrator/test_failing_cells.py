"""A cell that fails is a result with its reason, and the others go on."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import Workshop
from tests.fakes.studies import write_study
from tests.orchestrator.reading import TITLES, attempts_aside, ids, manifests, statuses, the_run

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]
# The real grace before a cell is killed is too long to wait for.
IMPATIENT = """
from orchestrator.running import executor
executor.GRACE_S = 0.3
import tests.fakes.cli
tests.fakes.cli.main()
"""


def behaving(workshop: Workshop, train: str = "ok", infer: str = "ok", **settings: float) -> None:
    write_study(workshop.folder, behave=infer, **settings)  # type: ignore[arg-type]
    path = workshop.folder / "studies" / "toy" / "study.toml"
    path.write_text(path.read_text().replace('behave = "ok"', f'behave = "{train}"', 1))


@pytest.mark.first(2)
@pytest.mark.parametrize(
    ("behave", "status", "reason", "exit_code"),
    [
        ("crash", "crashed", "ValueError: it broke", 1),
        ("memory", "oom", "out of memory: no more", 1),
        ("unsupported", "unsupported", "not on this machine", 0),
        ("segfault", "crashed", "ended by SIGSEGV", 1),
    ],
)
def test_a_failing_cell_is_recorded_once_and_the_others_go_on(
    workshop: Workshop, behave: str, status: str, reason: str, exit_code: int
) -> None:
    behaving(workshop, infer=behave)
    told = workshop.run("-k", "alpha", "--json", status=exit_code)
    assert statuses(workshop) == ["ok", "-", status, status, "-", "-"]
    assert json.loads(told.stdout)["counts"] == {"ok": 1, status: 2}
    assert manifests(workshop)[TITLES[2]].reason.startswith(reason)
    assert not manifests(workshop)[TITLES[2]].transient
    workshop.run("-k", "alpha", status=exit_code)
    assert len(workshop.executed()) == 3
    assert attempts_aside(workshop) == []


def test_a_cell_killed_from_outside_is_run_again_at_the_next_start(workshop: Workshop) -> None:
    behaving(workshop, infer="killed")
    workshop.run("-k", "alpha and batch_size=1", status=1)
    manifest = manifests(workshop)[TITLES[2]]
    assert (manifest.status, manifest.transient) == ("crashed", True)
    assert manifest.reason == "ended by SIGKILL from outside the runner"

    told = workshop.run("-k", "alpha and batch_size=1", status=1)
    reason = "it was crashed: ended by SIGKILL from outside the runner"
    assert f"again: alpha infer plain batch 1: {reason}" in told.stderr
    assert workshop.executed().count(ids(workshop)[TITLES[2]]) == 2


def test_a_failed_baseline_makes_its_cells_unsupported_with_the_reason(
    workshop: Workshop,
) -> None:
    behaving(workshop, train="crash")
    workshop.run("-k", "alpha", status=1)
    assert statuses(workshop) == ["crashed", "-", "unsupported", "unsupported", "-", "-"]
    baseline = ids(workshop)[TITLES[0]]
    assert manifests(workshop)[TITLES[2]].reason == (
        f"starts from the weights of cell {baseline}, which is crashed"
    )
    assert len(workshop.executed()) == 1


def test_cells_of_a_baseline_that_stays_failed_are_not_tried_again(workshop: Workshop) -> None:
    behaving(workshop, train="crash")
    workshop.run("-k", "alpha", status=1)
    told = workshop.run("-k", "alpha", status=1)
    assert "nothing to run" in told.stderr
    assert attempts_aside(workshop) == []


def test_cells_of_a_failed_baseline_run_when_it_is_mended(workshop: Workshop) -> None:
    write_study(workshop.folder, image="broken")
    workshop.run("-k", "alpha", status=3)
    assert statuses(workshop) == ["unsupported", "-", "unsupported", "unsupported", "-", "-"]
    write_study(workshop.folder)
    workshop.run("-k", "alpha")
    assert statuses(workshop) == ["ok", "-", "ok", "ok", "-", "-"]
    assert len(workshop.executed()) == 3


def test_a_half_written_manifest_is_kept_aside_and_the_cell_is_crashed(
    workshop: Workshop,
) -> None:
    behaving(workshop, infer="half")
    workshop.run("-k", "alpha and batch_size=1", status=1)
    manifest = manifests(workshop)[TITLES[2]]
    assert (manifest.status, manifest.transient) == ("crashed", False)
    assert manifest.reason == "ended with status 9 and left no manifest"
    folder = the_run(workshop).cell_folder(manifest.id)
    kept = (folder / "manifest.unreadable.json").read_bytes()
    assert kept == b'{"schema": "repliquant/mani'


def test_a_cell_out_of_time_keeps_what_it_measured(workshop: Workshop) -> None:
    behaving(workshop, seconds=60, timeout=4)
    workshop.run("-k", "alpha and train", status=1)
    manifest = manifests(workshop)[TITLES[0]]
    assert (manifest.status, manifest.transient) == ("timeout", False)
    assert manifest.reason == "not finished within its 4 s"
    assert [phase.name for phase in manifest.phases] == ["import", "work"]
    assert [metric.name for metric in manifest.metrics] == ["peak_memory_bytes"]
    assert manifest.environment.python is not None


def test_a_cell_that_will_not_stop_is_killed_and_is_a_timeout(workshop: Workshop) -> None:
    behaving(workshop, train="deaf", seconds=60, timeout=4)
    arguments = ["run", "toy", "--engine", "fake", "-k", "alpha and train"]
    done = subprocess.run(
        [sys.executable, "-c", IMPATIENT, *arguments],
        cwd=workshop.folder, env=workshop.environment, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    manifest = manifests(workshop)[TITLES[0]]
    assert manifest.status == "timeout"
    assert manifest.reason == "not finished within its 4 s; it had to be killed"


def test_a_flood_of_output_is_neither_kept_nor_does_it_end_the_cell(workshop: Workshop) -> None:
    behaving(workshop, infer="flood")
    workshop.run("-k", "alpha and batch_size=1")
    manifest = manifests(workshop)[TITLES[2]]
    assert manifest.status == "ok"
    kept = (the_run(workshop).cell_folder(manifest.id) / "events.jsonl").read_bytes()
    assert len(kept) < 4096
    assert kept.count(b"\n") == 3  # import, work, done


def test_an_image_that_cannot_be_made_leaves_the_other_images_cells_alone(
    workshop: Workshop,
) -> None:
    write_study(workshop.folder, image="broken")
    told = workshop.run(status=1)
    assert told.stderr.count("the environment broken could not be made. Its last lines:") == 1
    found = manifests(workshop)
    assert found[TITLES[0]].reason == "the environment broken could not be made."
    assert found[TITLES[0]].transient
    assert [found[title].status for title in TITLES if "beta" in title] == ["ok"] * 3


@pytest.mark.parametrize(
    ("chosen", "devices", "status"),
    [
        ("alpha", ("gpu", "gpu"), 3),
        ("alpha", ("cpu", "gpu"), 0),
        ("alpha and infer", ("gpu", "cpu"), 3),
    ],
    ids=["none can run", "one can", "none can for want of weights"],
)
def test_cells_that_this_machine_cannot_run_are_results_beside_one_that_it_can(
    workshop: Workshop, chosen: str, devices: tuple[str, str], status: int
) -> None:
    train, infer = devices
    write_study(workshop.folder, train_device=train, device=infer)
    workshop.run("-k", chosen, status=status)
    workshop.run("-k", chosen, status=status)
    assert "unsupported" in statuses(workshop)


def test_cells_that_the_engine_cannot_start_are_a_failure_and_no_results(
    workshop: Workshop,
) -> None:
    workshop.environment["FAKE_REFUSES"] = "infer"
    workshop.run("-k", "alpha", status=1)
    found = manifests(workshop)[TITLES[2]]
    assert (found.status, found.transient) == ("unsupported", True)
    assert found.reason == "the fake engine's runtime is broken"
    workshop.run("-k", "alpha", status=1)
    del workshop.environment["FAKE_REFUSES"]
    workshop.run("-k", "alpha")
    assert statuses(workshop) == ["ok", "-", "ok", "ok", "-", "-"]


def test_an_environment_whose_python_was_removed_is_a_failure(workshop: Workshop) -> None:
    workshop("images", "build", "alpha", "--engine", "local")
    (python,) = (workshop.folder / "cache" / "envs").glob("alpha-*/bin/python")
    python.unlink()
    python.symlink_to("/removed/python3")
    workshop("run", "toy", "--engine", "local", "-k", "alpha and train", status=1)
    assert manifests(workshop)[TITLES[0]].status != "ok"
