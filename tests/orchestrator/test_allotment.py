"""The world of Repliquant is what was allotted to it, and a cell gets its GPU by the same name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from machine.allotment import Allotment, allotment, choose, place
from machine.inventory import capability_of
from manifests.manifest import Gpu
from orchestrator.engines import local_processes as local
from orchestrator.engines.base import Order
from tests.conftest import Workshop
from tests.fakes.studies import write_study
from tests.orchestrator.reading import manifests

A, B = "GPU-aaaaaaaa-1111", "GPU-bbbbbbbb-2222"
M = "MIG-cccccccc-3333"


@pytest.mark.parametrize(
    ("variables", "there", "gpus", "by"),
    [
        ({}, 2, ("0", "1"), ""),
        ({}, 0, (), ""),
        ({"CUDA_VISIBLE_DEVICES": "2"}, 4, ("2",), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": " 3, 1"}, 4, ("3", "1"), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": ""}, 4, (), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, 4, (), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "void"}, 4, (), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "none"}, 4, (), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "NoDevFiles"}, 4, (), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "0,-1,1"}, 4, ("0",), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "0,9,1"}, 4, ("0",), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "1,1"}, 4, ("1",), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": f"{A},{B}"}, 4, (A, B), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": M}, 1, (M,), "CUDA_VISIBLE_DEVICES"),
        ({"CUDA_VISIBLE_DEVICES": "2"}, 0, (), ""),
        ({"SLURM_JOB_GPUS": "1,3"}, 4, ("1", "3"), "SLURM_JOB_GPUS"),
        ({"SLURM_JOB_GPUS": "1-3", "SLURM_STEP_GPUS": "2"}, 4, ("2",), "SLURM_STEP_GPUS"),
        ({"SLURM_JOB_GPUS": "1-2"}, 4, ("1", "2"), "SLURM_JOB_GPUS"),
        # the job sees its own GPUs alone, numbered anew
        ({"SLURM_JOB_GPUS": "6,7"}, 2, ("0", "1"), "SLURM_JOB_GPUS"),
        ({"SLURM_JOB_GPUS": "1", "CUDA_VISIBLE_DEVICES": "0"}, 4, ("0",), "CUDA_VISIBLE_DEVICES"),
        ({"NVIDIA_VISIBLE_DEVICES": "all"}, 2, ("0", "1"), ""),
        ({"NVIDIA_VISIBLE_DEVICES": ""}, 2, ("0", "1"), ""),
        ({"NVIDIA_VISIBLE_DEVICES": "void"}, 2, (), "NVIDIA_VISIBLE_DEVICES"),
        ({"NVIDIA_VISIBLE_DEVICES": "none"}, 2, (), "NVIDIA_VISIBLE_DEVICES"),
        ({"NVIDIA_VISIBLE_DEVICES": B}, 2, (B,), "NVIDIA_VISIBLE_DEVICES"),
        ({"NVIDIA_VISIBLE_DEVICES": "3"}, 1, ("0",), "NVIDIA_VISIBLE_DEVICES"),
    ],
)
def test_what_was_allotted_is_all_there_is(
    variables: dict[str, str], there: int, gpus: tuple[str, ...], by: str
) -> None:
    assert allotment(there, variables) == Allotment(gpus, by)


KNOWN = {
    0: Gpu(name="a", uuid=A, index=0),
    1: Gpu(name="a", uuid=B, index=1, mig=True, instances=[M, "MIG-dddddddd-4444"]),
}


@pytest.mark.parametrize(
    ("asked", "entries", "found"),
    [
        ("0", ("2", "5"), "2"),
        ("1", ("2", "5"), "5"),
        ("2", ("2", "5"), None),
        ("0", (M,), M),
        (A, (A, B), A),
        ("GPU-aaaaaaaa", (A,), "GPU-aaaaaaaa"),
        (A, ("GPU-aaaaaaaa",), A),
        (B, ("0", "1"), B),
        (B, ("0",), None),
        (M, ("1",), M),
        (M, ("0",), None),
        (M, (B,), M),
        ("GPU-", ("0", "1"), None),
        ("GPU-99999999", ("0", "1"), None),
        ("x", ("0",), None),
    ],
)
def test_a_number_counts_what_was_allotted_and_a_uuid_names_a_card_of_it(
    asked: str, entries: tuple[str, ...], found: str | None
) -> None:
    assert choose(asked, entries, KNOWN) == found


def test_entries_are_found_again_by_nvml() -> None:
    assert place(["1"], KNOWN, {}).numbers == (1,)
    assert place([B, M], KNOWN, {}).numbers == (1, 1)
    assert place(["GPU-99999999"], KNOWN, {}) == ((), "NVML knows no GPU-99999999")


def test_a_number_of_cudas_own_order_means_no_card_where_they_are_unlike() -> None:
    mixed = {0: Gpu(name="slow"), 1: Gpu(name="fast")}
    own = {"CUDA_VISIBLE_DEVICES": "1"}
    found = place(["1"], mixed, own)
    assert found.numbers == () and "set CUDA_DEVICE_ORDER=PCI_BUS_ID" in found.reason
    assert place(["1"], mixed, {**own, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}).numbers == (1,)
    assert place(["1"], KNOWN, own).numbers == (1,)


@pytest.mark.parametrize("entry", ["2", A, M])
@pytest.mark.parametrize("own", [None, "2,3"])
def test_a_local_cell_gets_the_entry_itself(
    monkeypatch: pytest.MonkeyPatch, entry: str, own: str | None
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)
    if own:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", own)
    order = Order("r", "c", Path("/"), None, None, 1, gpus=(entry,))
    found = local._environment(order)
    assert found["CUDA_VISIBLE_DEVICES"] == entry
    assert found.get("CUDA_DEVICE_ORDER") == (None if own else "PCI_BUS_ID")


def gpu_cells(workshop: Workshop) -> list[dict[str, Any]]:
    import json

    lines = Path(f"{workshop.log}.places").read_text().splitlines()
    return [place for place in map(json.loads, lines) if place["gpu"] is not None]


def test_a_cell_of_a_run_computes_on_the_gpu_that_was_allotted(workshop: Workshop) -> None:
    write_study(workshop.folder, device="gpu")
    workshop.environment |= {"CUDA_VISIBLE_DEVICES": "2", "FAKE_THERE": "4"}
    workshop.run("-k", "alpha and infer and batch_size=1")
    assert {place["gpu"] for place in gpu_cells(workshop)} == {"2"}
    found = [m for m in manifests(workshop).values() if m.cell.device == "gpu"]
    assert [m.context and m.context.gpus for m in found] == [["2"]]


def test_no_gpu_allotted_is_none_and_an_unknown_one_is_refused(workshop: Workshop) -> None:
    write_study(workshop.folder, device="gpu")
    workshop.environment |= {"CUDA_VISIBLE_DEVICES": "", "FAKE_THERE": "4"}
    told = workshop.run("--gpus", "0", status=2).stderr
    assert "--gpus 0: the engine fake has no such GPU. Accepted: none, it has no GPU" in told
    workshop.environment["CUDA_VISIBLE_DEVICES"] = "3,GPU-aaaaaaaa-1111"
    told = workshop.run("--gpus", "3", status=2).stderr
    assert (
        "--gpus 3: the engine fake has no such GPU. Accepted: all, 0 (it is 3 of what was "
        "allotted), 1 (it is GPU-aaaaaaaa-1111 of what was allotted)" in told
    )
    told = workshop.run("--gpus", "1,GPU-aaaaaaaa-1111", status=2).stderr
    assert "--gpus 1,GPU-aaaaaaaa-1111: names a GPU twice" in told


@pytest.mark.parametrize(
    ("entry", "expected"),
    [("0", "7.5"), ("1", "9.0"), (B, "9.0"), (M, ""), ("7", "")],
)
def test_the_compute_capability_is_that_of_the_gpu_that_is_ours(entry: str, expected: str) -> None:
    cards = {0: Gpu(name="a", uuid=A, compute_capability="7.5"),
             1: Gpu(name="b", uuid=B, compute_capability="9.0")}  # fmt: skip
    assert capability_of(entry, cards) == expected
    alike = {n: Gpu(name="a", uuid=u, compute_capability="8.0") for n, u in enumerate((A, B))}
    assert capability_of(M, alike) == "8.0"
