"""What Slurm gave to a job, by its variables, by squeue, and its GPUs by UUID."""

from __future__ import annotations

from pathlib import Path

import pytest

from machine.allocation import (
    Allotted,
    Others,
    allocation,
    allotted_gpus,
    job_name,
    other_jobs,
    restarts,
)
from manifests.manifest import Gpu

ONE, TWO = "GPU-11111111-2222", "GPU-33333333-4444"
JOB = {
    "SLURM_JOB_ID": "1050", "SLURM_ARRAY_JOB_ID": "1043", "SLURM_ARRAY_TASK_ID": "7",
    "SLURMD_NODENAME": "n3", "SLURM_JOB_PARTITION": "long", "SLURM_JOB_ACCOUNT": "phys",
    "SLURM_JOB_QOS": "normal", "SLURM_CPUS_ON_NODE": "16", "SLURM_CLUSTER_NAME": "site",
}  # fmt: skip


def gpus(*uuids: str) -> dict[int, Gpu]:
    return {number: Gpu(name="A100", index=number, uuid=one) for number, one in enumerate(uuids)}


def squeue(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = folder / "squeue"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_a_task_of_an_array_is_named_as_slurm_names_it() -> None:
    assert job_name(JOB) == "1043_7"
    assert job_name({"SLURM_JOB_ID": "12"}) == "12"
    assert job_name({}) == ""


def test_an_allocation_says_where_and_how_much() -> None:
    found = allocation(True, [ONE], environment={**JOB, "SLURM_RESTART_COUNT": "2"})
    assert (found.job, found.node, found.partition, found.account) == (
        "1043_7", "n3", "long", "phys",
    )  # fmt: skip
    assert (found.cpus, found.gpus, found.restarts, found.exclusive) == (16, [ONE], 2, True)
    assert found.others == 0  # nobody has to be asked
    assert restarts(JOB) == 0


def test_others_on_a_node_that_is_shared_are_counted_without_ourselves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    squeue(tmp_path, "[ $2 = --nodelist=n3 ] && printf '1050\\n2001\\n2002\\n'", monkeypatch)
    assert other_jobs(JOB) == Others(2)


def test_a_scheduler_that_does_not_answer_leaves_a_reason_and_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    squeue(tmp_path, "echo 'Unable to contact slurm controller' >&2; exit 1", monkeypatch)
    found = allocation(False, environment=JOB)
    assert found.others is None
    assert found.reasons == {"others": "squeue failed: Unable to contact slurm controller"}


def test_uuids_of_slurm_25_11_are_taken_as_they_are() -> None:
    assert allotted_gpus([TWO], gpus(ONE, TWO)) == Allotted([TWO])


def test_where_no_others_can_be_seen_number_0_is_the_one_that_is_seen() -> None:
    """Inside the job's control group the card with the machine's number 1 is number 0."""
    assert allotted_gpus(["0"], gpus(TWO)) == Allotted([TWO])
    assert allotted_gpus(["2"], gpus(TWO)) == Allotted([TWO])


def test_where_all_can_be_seen_a_number_is_that_of_nvml() -> None:
    assert allotted_gpus(["1"], gpus(ONE, TWO)) == Allotted([TWO])


def test_a_number_that_nvml_does_not_know_has_no_uuid_and_a_reason() -> None:
    assert allotted_gpus(["5"], gpus(ONE, TWO)) == Allotted([], "NVML tells no UUID of GPU 5")
