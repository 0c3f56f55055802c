"""Cells on GPUs, which the fake engine claims to have, as real processes side by side."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Workshop
from tests.fakes.studies import write_study
from tests.orchestrator.reading import (
    ids,
    manifests,
    runner_processes,
    statuses,
    the_run,
    wait_until,
)

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]
SEVERAL = len(os.sched_getaffinity(0)) > 1
needs_two = pytest.mark.skipif(not SEVERAL, reason="one processor can't be shared out")


def with_gpus(workshop: Workshop, gpus: str = "0,1", **study: Any) -> None:
    workshop.environment["FAKE_GPUS"] = gpus
    write_study(workshop.folder, **{"device": "gpu", **study})


def places(workshop: Workshop) -> list[dict[str, Any]]:
    """When each finished cell ran, and with what to itself."""
    lines = Path(f"{workshop.log}.places").read_text().splitlines()
    return [json.loads(line) for line in lines]


def overlap(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return bool(one["begin"] < other["end"] and other["begin"] < one["end"])


@needs_two
def test_cells_really_run_side_by_side_one_a_gpu_with_processors_of_their_own(
    workshop: Workshop,
) -> None:
    with_gpus(workshop, behave="meet", more="peers = 2", repeats=2)
    workshop.run("--gpus", "all")
    assert set(statuses(workshop)) == {"ok"}
    found = {place["cell"]: place for place in places(workshop)}
    cells = {m.id: m.cell for m in manifests(workshop).values()}
    on_gpu = [place for cell, place in found.items() if cells[cell].device == "gpu"]
    on_cpu = [place for cell, place in found.items() if cells[cell].device == "cpu"]
    assert (len(on_gpu), len(on_cpu)) == (8, 2)
    assert {place["gpu"] for place in on_gpu} == {"0", "1"}
    assert {place["gpu"] for place in on_cpu} == {None}
    for place in on_cpu:
        assert place["cpus"] == sorted(os.sched_getaffinity(0))
        assert not any(overlap(place, other) for other in found.values() if other is not place)
    for one in on_gpu:
        for other in on_gpu:
            if one is not other and overlap(one, other):
                assert one["gpu"] != other["gpu"]
                assert not set(one["cpus"]) & set(other["cpus"])
    assert any(overlap(a, b) for a in on_gpu for b in on_gpu if a is not b)


@needs_two
def test_threads_are_those_of_a_lane(workshop: Workshop) -> None:
    with_gpus(workshop)
    workshop.run("--gpus", "0,1")
    share = len(os.sched_getaffinity(0)) // 2
    assert the_run(workshop).plan().threads == share
    assert {place["threads"] for place in places(workshop)} == {share}


def test_the_first_gpu_alone_is_the_default(workshop: Workshop) -> None:
    with_gpus(workshop, "3,5")
    workshop.run()
    found = places(workshop)
    assert {place["gpu"] for place in found} == {None, "3"}
    assert {len(place["cpus"]) for place in found} == {len(os.sched_getaffinity(0))}
    assert not any(overlap(a, b) for a in found for b in found if a is not b)


def test_more_gpus_than_processors_share_them_all(workshop: Workshop) -> None:
    cpu = min(os.sched_getaffinity(0))
    with_gpus(workshop, "0,1", behave="meet", more="peers = 2")
    workshop.run("--gpus", "all", "--cpus", str(cpu))
    assert {tuple(place["cpus"]) for place in places(workshop)} == {(cpu,)}
    assert the_run(workshop).plan().threads == 1


def test_an_engine_without_gpus_skips_the_cells_that_need_one(workshop: Workshop) -> None:
    write_study(workshop.folder, device="gpu")
    told = workshop.run()
    assert statuses(workshop) == ["ok", "ok", *["unsupported"] * 4]
    found = manifests(workshop)["alpha infer plain batch 1 gpu"]
    assert found.reason == "needs an NVIDIA GPU; none was found"
    assert "again" not in workshop.run().stderr
    assert "Traceback" not in told.stderr


def test_cells_that_were_skipped_run_when_there_is_a_gpu(workshop: Workshop) -> None:
    write_study(workshop.folder, device="gpu")
    workshop.run()
    workshop.environment["FAKE_GPUS"] = "0"
    workshop.run()
    assert set(statuses(workshop)) == {"ok"}


def test_training_on_a_gpu_comes_before_what_starts_from_it(workshop: Workshop) -> None:
    with_gpus(workshop, train_device="gpu", seconds=0.2)
    workshop.run("--gpus", "all")
    found = {place["cell"]: place for place in places(workshop)}
    for manifest in manifests(workshop).values():
        parent = manifest.cell.weights_from
        if parent:
            assert found[parent]["end"] <= found[manifest.id]["begin"]


@pytest.mark.first(1)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_cells_of_all_lanes(workshop: Workshop, number: signal.Signals) -> None:
    with_gpus(workshop, behave="meet", more="peers = 99")
    process = workshop.start("--gpus", "all")
    wait_until(lambda: len(workshop.executed()) == 4, "two cells side by side")
    process.send_signal(number)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert runner_processes(workshop) == []
    found = [m for m in manifests(workshop).values() if m.cell.device == "gpu"]
    assert [(m.status, m.reason) for m in found] == [("cancelled", "interrupted")] * 2


def test_a_second_ctrl_c_kills_the_cells_of_all_lanes(workshop: Workshop) -> None:
    with_gpus(workshop, behave="deaf", seconds=60)
    study = workshop.folder / "studies" / "toy" / "study.toml"
    study.write_text(study.read_text().replace("seconds = 60", "seconds = 0", 1))
    process = workshop.start("--gpus", "all")
    folder = the_run(workshop).cells
    wait_until(lambda: len(workshop.executed()) == 4, "two cells side by side")
    process.send_signal(signal.SIGINT)
    wait_until(lambda: len(list(folder.glob("*/stop.json"))) == 2, "nobody asked them to stop")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert runner_processes(workshop) == []
    assert "Traceback" not in told


def test_a_full_disk_in_one_lane_ends_the_other_and_is_told(workshop: Workshop) -> None:
    with_gpus(workshop, behave="meet", more="peers = 99")
    workshop.run("-k", "train", "--gpus", "all")
    full = ids(workshop)["alpha infer plain batch 2 gpu"]
    gate = workshop.folder / "gate"
    workshop.environment |= {"FAKE_FULL": full, "FAKE_GATE": str(gate)}
    process = workshop.start("--gpus", "all")
    wait_until(lambda: len(workshop.executed()) == 3, "no cell beside it")
    gate.touch()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 3, told
    assert told.splitlines()[-1] == (
        f"repliquant: {the_run(workshop).folder} can't be written to: No space left on device. "
        "Free some space and start again: finished cells are kept"
    )
    assert runner_processes(workshop) == []
    other = manifests(workshop)["alpha infer plain batch 1 gpu"]
    reason = "[Errno 28] No space left on device"
    assert (other.status, other.reason, other.transient) == ("cancelled", reason, True)


def test_a_cell_cancelled_while_it_is_being_started_is_cancelled(workshop: Workshop) -> None:
    gate = workshop.folder / "gate"
    workshop.environment["FAKE_GATE"] = str(gate)
    with_gpus(workshop, train_device="gpu", behave="ok", seconds=60)
    process = workshop.start("--gpus", "all")
    wait_until(lambda: len(list(workshop.folder.glob("gate.*"))) == 2, "two cells at the gate")
    process.send_signal(signal.SIGINT)
    time.sleep(0.5)  # a signal that comes later than the gate opens is no failure either
    gate.touch()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert runner_processes(workshop) == []
    found = manifests(workshop)
    assert len(found) == 2
    for manifest in found.values():
        assert manifest.status == "cancelled"
        assert manifest.reason.startswith("interrupted")


@pytest.mark.first(1)
@pytest.mark.parametrize(
    ("loses", "attempts", "status"), [(1, 2, "ok"), (2, 3, "ok"), (9, 3, "crashed")]
)
def test_a_lost_cell_is_run_again_at_most_twice_more(
    workshop: Workshop, loses: int, attempts: int, status: str
) -> None:
    workshop.environment["FAKE_LOSES"] = str(loses)
    told = workshop.run("-k", "alpha and train", status=0 if status == "ok" else 1)
    (manifest,) = manifests(workshop).values()
    assert manifest.status == status
    assert manifest.context is not None
    assert manifest.context.attempt == attempts
    assert manifest.context.why_again == "the fake engine lost it"
    again = "alpha train plain batch 2 is run again: the fake engine lost it"
    assert told.stderr.count(again) == min(loses, 2)
    folder = the_run(workshop).cell_folder(manifest.id)
    kept = sorted(path.name for path in folder.parent.glob("*.attempt-*"))
    assert kept == [f"{manifest.id}.attempt-{n}" for n in range(1, attempts)]
    assert all((folder.parent / name / "manifest.json").exists() for name in kept)
    if status == "crashed":
        assert (manifest.reason, manifest.transient) == ("the fake engine lost it", True)


def test_a_lost_cell_does_not_touch_the_other_lane(workshop: Workshop) -> None:
    workshop.environment["FAKE_LOSES"] = "1"
    with_gpus(workshop, train_device="gpu")
    workshop.run("--gpus", "all")
    assert set(statuses(workshop)) == {"ok"}
    assert len(list(the_run(workshop).cells.glob("*.attempt-1"))) == 6
    assert list(the_run(workshop).cells.glob("*.attempt-2")) == []


def test_a_cell_that_had_finished_when_it_was_lost_is_not_run_again(workshop: Workshop) -> None:
    workshop.environment |= {"FAKE_LOSES": "9", "FAKE_KEEPS": "1"}
    workshop.run("-k", "alpha and train")
    (manifest,) = manifests(workshop).values()
    assert manifest.status == "ok"
    assert list(the_run(workshop).cells.glob("*.attempt-*")) == []
    assert len(workshop.executed()) == 1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--memory", "1g"],
         "--memory needs containers, and the engine fake runs none. "
         "Use --engine docker, or leave it out"),
        (["--gpus", "7"],
         "--gpus 7: the engine fake has no such GPU. Accepted: none, it has no GPU"),
        (["--cpus", "4000"], "--cpus 4000: the engine fake has no such processor. Accepted: "),
    ],
)  # fmt: skip
def test_what_the_engine_does_not_have_is_refused_before_anything_runs(
    workshop: Workshop, options: list[str], told: str
) -> None:
    done = workshop.run(*options, status=2)
    assert f"repliquant: {told}" in done.stderr
    assert not the_run(workshop).folder.exists()
    assert not (workshop.folder / "cache").exists()


def test_the_gpus_that_there_are_are_named(workshop: Workshop) -> None:
    with_gpus(workshop, "0,1")
    told = workshop.run("--gpus", "0,7", status=2).stderr
    assert "--gpus 7: the engine fake has no such GPU. Accepted: all, 0, 1" in told


def test_memory_is_refused_for_the_local_engine_that_auto_has_chosen(workshop: Workshop) -> None:
    told = workshop("run", "toy", "--memory", "1g", status=2).stderr
    assert "engine local: no Docker" in told
    assert "--memory needs containers, and the engine local runs none." in told
