"""How a cell's end is told when its job left little: each state of Slurm's, and late files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from manifests.codec import read_struct
from manifests.order import CellOrder
from orchestrator.engines.base import Exit, Order
from orchestrator.running.attempt import Attempt
from tests.orchestrator.slurm.conftest import Cluster

SHA256 = "ab" * 32


def begun(order: Order, place: int = 0) -> None:
    (order.folder / "begun.json").write_text(
        f'{{"handle":"h","job":"6000_1","restarts":0,"node":"n1","place":{place},'
        '"began_at":"2026-11-26T10:00:00+00:00"}'
    )


@pytest.mark.parametrize(
    ("state", "reason", "status", "words", "transient"),
    [
        ("TIMEOUT", "", "timeout", "Slurm ended its job 6000_1 at the job's time limit", False),
        ("DEADLINE", "", "timeout", "at the job's time limit (DEADLINE)", False),
        ("OUT_OF_MEMORY", "", "oom", "at its memory limit (OUT_OF_MEMORY)", False),
        ("CANCELLED", "by 1000", "cancelled", "cancelled in Slurm (by 1000)", True),
        ("NODE_FAIL", "", "crashed", "node n1 failed under its job 6000_1", True),
        ("PREEMPTED", "", "crashed", "its job 6000_1 ended (PREEMPTED) without a word", True),
        ("FAILED", "", "crashed", "its job 6000_1 ended (FAILED) without a word", True),
    ],
)
def test_a_state_becomes_a_status_with_its_reason(
    cluster: Cluster, state: str, reason: str, status: str, words: str, transient: bool
) -> None:
    order, handle, job = cluster.one()
    begun(order)
    cluster.site.set(job, 1, state, reason)
    assert cluster.engine.poll(handle) == "ended"
    attempt = Attempt(read_struct(order.folder / "order.json", CellOrder), order.folder)
    manifest = attempt.end(cluster.engine.collect(handle))
    assert (manifest.status, manifest.transient) == (status, transient)
    assert words in manifest.reason


def test_the_time_that_others_of_its_job_used_is_not_its_own(cluster: Cluster) -> None:
    order, handle, job = cluster.one()
    begun(order, place=3)
    cluster.site.set(job, 1, "TIMEOUT")
    ended = cluster.engine.collect(handle)
    assert ended.verdict is None and "time limit" in ended.lost


def test_one_that_was_not_begun_has_no_fault(cluster: Cluster) -> None:
    _, handle, job = cluster.one()
    cluster.site.set(job, 1, "OUT_OF_MEMORY")
    assert cluster.engine.collect(handle) == Exit(
        0, lost="its job 6000_1 ended (OUT_OF_MEMORY) before it began"
    )


def test_the_log_of_a_job_that_could_not_begin_is_quoted(cluster: Cluster) -> None:
    _, handle, job = cluster.one()
    log = cluster.run / "slurm" / "1" / "log" / "1.txt"
    log.write_text("/opt/python: not found\n")
    cluster.site.set(job, 1, "FAILED")
    assert cluster.engine.collect(handle).lost.endswith("; its log ends: /opt/python: not found")


def test_a_manifest_counts_whatever_slurm_says(cluster: Cluster) -> None:
    _, handle, job = cluster.one()
    cluster.site.run(job, 1)
    cluster.site.set(job, 1, "NODE_FAIL")
    assert cluster.engine.poll(handle) == "ended"
    assert cluster.engine.collect(handle) == Exit(0)


@pytest.mark.parametrize("witness", ["marker", "log"])
def test_a_manifest_that_does_not_appear_is_told_by_its_witnesses(
    cluster: Cluster, witness: str
) -> None:
    order, handle, job = cluster.one()
    cluster.site.run(job, 1)
    (order.folder / "manifest.json").unlink()
    if witness == "log":
        (order.folder / "end.json").unlink()
        log = cluster.run / "slurm" / "1" / "log" / "1.txt"
        log.write_text(f"{order.cell} {SHA256}\n")
    lost = cluster.engine.collect(handle).lost
    assert "says that it left a manifest (SHA-256 " in lost
    assert "has not appeared here within 0 s" in lost


def test_a_manifest_that_appears_late_is_waited_for(
    make_cluster: Callable[..., Cluster],
) -> None:
    cluster = make_cluster(late_s=60)
    order, handle, job = cluster.one()
    cluster.site.run(job, 1)
    late = order.folder / "manifest.json"
    late.rename(order.folder / "hidden")
    assert cluster.engine.poll(handle) == "running"
    (order.folder / "hidden").rename(late)
    assert cluster.engine.poll(handle) == "ended"
    assert cluster.engine.collect(handle) == Exit(0)


def test_a_launcher_that_was_killed_is_told_by_its_marker(cluster: Cluster) -> None:
    order, handle, _ = cluster.one()
    name = handle.name
    (order.folder / "end.json").write_text(
        f'{{"handle":"{name}","job":"6000_1","node":"n1","code":0,"signal":9,"manifest_sha256":""}}'
    )
    assert cluster.engine.poll(handle) == "ended"
    assert cluster.engine.collect(handle) == Exit(0, signal=9)


def test_one_that_was_interrupted_and_waits_again_has_not_ended(cluster: Cluster) -> None:
    """Preempted and requeued: it left a manifest that says cancelled."""
    order, handle, job = cluster.one()
    (order.folder / "manifest.json").write_bytes(b'{"status":"cancelled"}')
    cluster.site.set(job, 1, "PENDING", "BeginTime")
    assert cluster.engine.standing(handle) == ("queued", "job 6000_1 (BeginTime)")
    cluster.site.set(job, 1, "CANCELLED", "by 0")
    assert cluster.engine.poll(handle) == "ended"
