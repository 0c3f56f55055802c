"""GPUs of every kind through the real nvidia-ml-py, from a library of the tests' own."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from manifests.manifest import Manifest
from tests.conftest import Workshop
from tests.fakes.nvml_library import Library
from tests.fakes.studies import write_study
from tests.orchestrator.reading import manifests, wait_until

pytestmark = pytest.mark.cells
UUID = "GPU-{:08d}-0000-0000-0000-000000000000"
PART = "MIG-{:08d}-0000-0000-0000-00000000000{}"


def with_library(workshop: Workshop, tmp_path: Path, *gpus: str) -> Library:
    library = Library(tmp_path / "nvml", *gpus)
    workshop.environment |= library.environment
    workshop.environment.pop("CUDA_VISIBLE_DEVICES", None)
    return library


def doctor(workshop: Workshop, status: int = 0) -> dict[str, Any]:
    """Its findings by what they are about."""
    return {
        found["what"]: found
        for found in json.loads(workshop("doctor", "--json", status=status).stdout)
    }


def test_two_ways_of_seeing_gpus_agree_where_only_nvml_sees_them(
    workshop: Workshop, tmp_path: Path
) -> None:
    with_library(workshop, tmp_path, "", "old")
    found = doctor(workshop)
    assert found["gpu"]["state"] == "ok"
    assert found["gpu"]["detail"] == "2 NVIDIA, seen by NVML alone (as in WSL2)"
    assert found["gpu 1"]["detail"] == (
        f"Stand-in GPU, 80.0 GiB, driver 999.10.01, CUDA 12.8, limit 700 W, {UUID.format(1)}"
    )
    assert "gpus" not in found["telemetry"]["detail"]


def test_a_lost_gpu_is_a_problem_and_the_other_one_is_not(
    workshop: Workshop, tmp_path: Path
) -> None:
    with_library(workshop, tmp_path, "lost", "")
    found = doctor(workshop, status=3)
    assert (found["gpu 0"]["state"], found["gpu 1"]["state"]) == ("problem", "ok")
    assert "NVML: GPU is lost" in found["gpu 0"]["detail"]
    assert "gpus/0: NVML: GPU is lost" in found["telemetry"]["detail"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("denied", "gpus/0: NVML: Insufficient Permissions"),
        ("odd", "gpus/0/power_w: NVML: Unknown Error"),
        ("mig", "gpus/0/power_w: NVML: Not Supported (the GPU is divided by MIG)"),
    ],
)
def test_whatever_can_not_be_read_is_a_reason(
    workshop: Workshop, tmp_path: Path, words: str, reason: str
) -> None:
    with_library(workshop, tmp_path, words)
    done = subprocess.run(
        workshop.command("doctor", "--json"), cwd=workshop.folder, env=workshop.environment,
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    found = {finding["what"]: finding for finding in json.loads(done.stdout)}
    assert reason in found["telemetry"]["detail"]
    assert found["gpu 0"]["state"] == ("note" if words == "denied" else "ok")


@pytest.mark.first(1)
@pytest.mark.parametrize("what", [0, "init"])
def test_a_driver_that_hangs_holds_up_nobody(
    workshop: Workshop, tmp_path: Path, what: int | str
) -> None:
    library = with_library(workshop, tmp_path, "", "")
    library.say(what, "hang")
    begin = time.monotonic()
    found = doctor(workshop, status=3 if what == 0 else 0)
    assert time.monotonic() - begin < 100
    if what == 0:
        assert found["gpu 0"]["detail"].endswith("NVML gave no answer within 3 s")
        assert found["gpu 1"]["state"] == "ok"
    else:
        assert "gpus: NVML gave no answer within 15 s" in found["telemetry"]["detail"]


def test_doctor_hears_a_signal_while_the_driver_hangs(workshop: Workshop, tmp_path: Path) -> None:
    with_library(workshop, tmp_path, "").say("init", "hang")
    process = subprocess.Popen(
        workshop.command("doctor"), cwd=workshop.folder, env=workshop.environment,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    time.sleep(3)
    begin = time.monotonic()
    process.send_signal(signal.SIGTERM)
    process.wait(60)
    assert process.returncode != 0 and time.monotonic() - begin < 10


def gpu_cell(workshop: Workshop) -> Manifest:
    (found,) = [m for m in manifests(workshop).values() if m.cell.device == "gpu"]
    return found


def events(workshop: Workshop) -> list[Path]:
    return list(workshop.runs.glob("*/cells/*/events.jsonl"))


def series(workshop: Workshop) -> list[Path]:
    return list(workshop.runs.glob("*/cells/*/telemetry.jsonl"))


def run_on(workshop: Workshop, *options: str, seconds: float = 0.5) -> Manifest:
    """One cell on a GPU, with as many GPUs there as the library has."""
    write_study(
        workshop.folder, device="gpu", seconds=seconds, more='phase = "measure"', batch_sizes=[1]
    )
    workshop.run("-k", "alpha and infer", *options)
    return gpu_cell(workshop)


def test_telemetry_and_manifest_name_the_card_by_its_uuid(
    workshop: Workshop, tmp_path: Path
) -> None:
    with_library(workshop, tmp_path, "", "", "")
    workshop.environment |= {"FAKE_THERE": "3", "CUDA_VISIBLE_DEVICES": "2,1"}
    found = run_on(workshop)
    assert found.context is not None and found.telemetry is not None
    assert found.context.gpus == ["2"]
    assert (found.telemetry.gpus, found.telemetry.gpu_uuids) == ([2], [UUID.format(2)])
    machine = found.environment.machine
    assert machine is not None and [gpu.uuid for gpu in machine.gpus] == [
        UUID.format(number) for number in range(3)
    ]
    measured = found.telemetry.phase("measure")
    assert measured is not None and measured.energy["gpus/2"].energy_j is not None
    assert measured.readings["gpus/2/memory_used_bytes"].max == 2**30


@pytest.mark.first(1)
@pytest.mark.parametrize(
    ("asked", "number"), [(UUID.format(1), 1), (PART.format(0, 1), 0), ("GPU-00000001", 1)]
)
def test_a_card_and_an_instance_of_one_are_asked_for_by_uuid(
    workshop: Workshop, tmp_path: Path, asked: str, number: int
) -> None:
    with_library(workshop, tmp_path, "mig", "")
    workshop.environment["FAKE_THERE"] = "2"
    found = run_on(workshop, "--gpus", asked)
    assert found.context is not None and found.telemetry is not None
    assert found.context.gpus == [asked]
    assert found.telemetry.gpus == [number]
    assert json.loads(Path(f"{workshop.log}.places").read_text().splitlines()[-1])["gpu"] == asked


def test_a_uuid_that_is_not_ours_is_refused(workshop: Workshop, tmp_path: Path) -> None:
    with_library(workshop, tmp_path, "", "")
    workshop.environment |= {"FAKE_THERE": "2", "CUDA_VISIBLE_DEVICES": "1"}
    write_study(workshop.folder, device="gpu")
    told = workshop.run("--gpus", UUID.format(0), status=2).stderr
    assert (
        "the engine fake has no such GPU. Accepted: all, 0 (it is 1 of what was allotted)" in told
    )


@pytest.mark.first(1)
@pytest.mark.parametrize(
    ("words", "reason"),
    [("lost", "NVML: GPU is lost"), ("hang", "NVML gave no answer within 3 s")],
)
def test_a_gpu_that_goes_while_a_cell_runs_is_a_reason_and_the_cell_ends(
    workshop: Workshop, tmp_path: Path, words: str, reason: str
) -> None:
    library = with_library(workshop, tmp_path, "", "")
    workshop.environment["FAKE_THERE"] = "1"
    write_study(
        workshop.folder, device="gpu", seconds=6.0, more='phase = "measure"', batch_sizes=[1]
    )
    process = workshop.start("-k", "alpha and infer")
    wait_until(
        lambda: any(b'"measure"' in path.read_bytes() for path in events(workshop)),
        "the cell measures",
    )
    opening = UUID.format(0).encode()  # said when the cell's sampler knows its cards
    wait_until(
        lambda: any(opening in path.read_bytes() for path in series(workshop)), "it is sampled"
    )
    library.say(0, words)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    found = gpu_cell(workshop)
    assert found.status == "ok" and found.telemetry is not None
    assert found.telemetry.reasons["gpus/0"] == reason
    machine = found.environment.machine
    assert machine is not None and machine.gpus[0].uuid == UUID.format(0)
    energy = found.metric("energy_j", "measure")
    assert energy is not None and energy.samples == [None] and energy.reason


def test_doctor_says_which_card_is_not_as_it_should_be(workshop: Workshop, tmp_path: Path) -> None:
    with_library(workshop, tmp_path, "", "asleep")
    found = doctor(workshop)
    assert found["settings"]["state"] == "advice"
    assert "GPU 1 persistence off" in found["settings"]["detail"]
    assert "GPU 0" not in found["settings"]["detail"]
    lines = workshop("doctor", "--tune").stdout
    assert "sudo nvidia-smi -i 1 -pm 1\n#   undo: sudo nvidia-smi -i 1 -pm 0\n" in lines
    assert "sudo nvidia-smi -i 0 --lock-gpu-clocks=1980,1980" in lines
