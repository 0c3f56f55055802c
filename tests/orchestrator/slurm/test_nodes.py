"""On the node: cells of a job one after the other, each begun by one job alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import pytest

from manifests.codec import read_manifest
from manifests.manifest import Manifest
from orchestrator.engines.base import Order
from tests.orchestrator.reading import wait_until
from tests.orchestrator.slurm.conftest import Cluster

pytestmark = pytest.mark.cells


def manifest(order: Order) -> Manifest:
    return read_manifest(order.folder / "manifest.json")


def aside(order: Order, number: int = 1) -> Manifest:
    folder = order.folder.with_name(f"{order.cell}.attempt-{number}")
    return read_manifest(folder / "manifest.json")


def executed(cluster: Cluster) -> list[str]:
    path = cluster.folder / "executed.txt"
    return path.read_text().split() if path.exists() else []


def test_cells_run_in_their_order_and_the_manifest_says_where(cluster: Cluster) -> None:
    orders = [cluster.order(seed) for seed in (1, 2)]
    (job,) = cluster.enqueue(cluster.bundle(*orders)).jobs
    printed = cluster.site.run(job, 1, node="n3")
    assert executed(cluster) == [order.cell for order in orders]
    context = manifest(orders[1]).context
    assert context is not None and context.allocation is not None
    there = context.allocation
    assert (there.job, there.node, there.partition) == ("6000_1", "n3", "test")
    assert (there.place, there.cells, there.exclusive, there.others) == (1, 2, True, 0)
    ended = json.loads((orders[0].folder / "end.json").read_text())
    assert f"{orders[0].cell} {ended['manifest_sha256']}\n" in printed


def test_of_two_jobs_for_one_cell_the_second_leaves_it_alone(cluster: Cluster) -> None:
    order, _, job = cluster.one()
    cluster.site.run(job, 1)
    assert "left alone: it has its manifest (ok)" in cluster.site.run(job, 1)
    (order.folder / "manifest.json").unlink()
    assert "left alone: job 6000_1 has begun it" in cluster.site.run(job, 1)
    assert len(executed(cluster)) == 1


def test_a_job_of_an_attempt_that_was_replaced_leaves_it_alone(cluster: Cluster) -> None:
    order, _, job = cluster.one()
    (order.folder / "handle.json").write_text('{"name": "another"}')
    assert "left alone: the attempt in its folder is another" in cluster.site.run(job, 1)
    assert executed(cluster) == []


def test_one_that_was_interrupted_starts_anew_and_the_earlier_attempt_is_kept(
    cluster: Cluster,
) -> None:
    order, handle, job = cluster.one()
    cluster.site.run(job, 1)
    sealed = order.folder / "manifest.json"
    text = sealed.read_text().replace('"status":"ok"', '"status":"cancelled"', 1)
    sealed.write_text(text.replace('"transient":false', '"transient":true', 1))
    cluster.site.run(job, 1, restarts=1)
    assert aside(order).status == "cancelled"
    again = manifest(order)
    assert again.status == "ok" and again.context is not None
    assert (again.context.attempt, again.context.why_again) == (2, "Slurm began its job anew (1.)")
    assert again.context.allocation is not None and again.context.allocation.restarts == 1
    assert cluster.engine.poll(handle) == "ended"


def test_one_that_ended_before_its_job_began_anew_is_not_run_again(cluster: Cluster) -> None:
    _, _, job = cluster.one()
    cluster.site.run(job, 1)
    cluster.site.run(job, 1, restarts=1)
    assert len(executed(cluster)) == 1


@pytest.mark.parametrize(
    ("number", "status", "reason"),
    [
        (signal.SIGUSR1, "timeout", "the time limit of its job came before its own"),
        (signal.SIGTERM, "cancelled", "Slurm ended its job"),
    ],
)
def test_a_job_that_is_to_end_ends_its_cell_and_begins_no_other(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, number: int, status: str, reason: str
) -> None:
    monkeypatch.setenv("FAKE_UNTIL", str(cluster.folder / "never"))
    orders = [cluster.order(seed) for seed in (1, 2)]
    (job,) = cluster.enqueue(cluster.bundle(*orders)).jobs
    variables = {**os.environ, "SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": "1"}
    process = subprocess.Popen(
        [cluster.site._script(job)], env=variables, stdout=subprocess.PIPE, text=True
    )
    wait_until(lambda: executed(cluster), "the cell was not begun")
    process.send_signal(number)
    printed, _ = process.communicate(timeout=60)
    assert f"{orders[1].cell} not begun: {reason}" in printed
    assert (manifest(orders[0]).status, manifest(orders[0]).reason) == (status, reason)
    assert not (orders[1].folder / "begun.json").exists()


def test_what_a_node_that_was_given_up_still_writes_goes_to_the_attempt_aside(
    cluster: Cluster,
) -> None:
    order, _, job = cluster.one()
    gate = cluster.folder / "gate"
    first = {"SLURM_ARRAY_JOB_ID": job, "SLURM_ARRAY_TASK_ID": "1", "FAKE_UNTIL": str(gate)}
    lost = subprocess.Popen([cluster.site._script(job)], env={**os.environ, **first})
    wait_until(lambda: executed(cluster), "the cell was not begun")
    cluster.site.run(job, 1, restarts=1, node="n2")
    sealed = (order.folder / "manifest.json").read_bytes()
    gate.touch()
    assert lost.wait(60) == 0
    assert (order.folder / "manifest.json").read_bytes() == sealed
    there = [one.context.allocation for one in (manifest(order), aside(order)) if one.context]
    assert [one.node for one in there if one] == ["n2", os.uname().nodename]
