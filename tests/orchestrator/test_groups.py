"""Cells of the local engine in control groups with limits, as Slurm and systemd make them."""

from __future__ import annotations

import subprocess

import pytest

from machine import cgroup
from manifests.manifest import Manifest
from tests.conftest import Workshop
from tests.fakes.groups import group, limit_memory
from tests.fakes.studies import write_study
from tests.orchestrator.reading import manifests


def failed(workshop: Workshop) -> Manifest:
    (found,) = [m for m in manifests(workshop).values() if m.cell.task == "infer"]
    return found


def test_a_cell_that_its_group_killed_ran_out_of_memory(workshop: Workshop) -> None:
    write_study(workshop.folder, behave="grow", batch_sizes=[1])
    command = workshop.command("run", "toy", "--engine", "fake", "-k", "alpha and infer")
    with group("memory") as made:
        limit_memory(made, 400 * 2**20)
        done = subprocess.run(
            made.inside(command), cwd=workshop.folder, env=workshop.environment,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    assert done.returncode == 1, done.stderr
    found = failed(workshop)
    assert (found.status, found.transient) == ("oom", False)
    assert found.reason == (
        "the kernel ended it: its control group ran out of its memory of 400 MiB"
    )


def test_a_kill_by_somebody_else_is_none(workshop: Workshop) -> None:
    write_study(workshop.folder, behave="killed", batch_sizes=[1])
    workshop.run("-k", "alpha and infer", status=1)
    found = failed(workshop)
    assert (found.status, found.reason) == (
        "crashed", "ended by SIGKILL from outside the runner",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("group_kills", "machine_kills", "where"),
    [
        ((0, 1), (0, 1), "its control group ran out of its memory"),
        ((3, 3), (0, 1), ""),
        ((None, None), (0, 1), "the machine ran out of memory"),
        ((None, None), (None, None), ""),
        ((None, None), (2, 2), ""),
    ],
)
def test_kills_are_those_of_the_group_else_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
    group_kills: tuple[int | None, int | None],
    machine_kills: tuple[int | None, int | None],
    where: str,
) -> None:
    groups, machines = iter(group_kills), iter(machine_kills)
    monkeypatch.setattr(cgroup, "oom_kills", lambda: next(groups))
    monkeypatch.setattr(cgroup, "machine_oom_kills", lambda: next(machines))
    monkeypatch.setattr(cgroup, "memory_limit_bytes", lambda: None)
    assert cgroup.MemoryKills().since() == where


def test_a_kill_long_ago_is_not_what_ends_a_cell_now(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that ran out of memory, which the cell outlived until somebody killed it."""
    count = [0]
    monkeypatch.setattr(cgroup, "oom_kills", lambda: count[0])
    monkeypatch.setattr(cgroup, "memory_limit_bytes", lambda: None)
    kills = cgroup.MemoryKills()
    count[0] = 1
    kills.look()
    assert kills.since(recent=True) and kills.since()
    kills.look()
    assert kills.since(recent=True) == ""
    assert kills.since() == "its control group ran out of its memory"
    count[0] = 2
    assert kills.since(recent=True)
