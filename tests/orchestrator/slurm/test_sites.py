"""What sites do to who submits: limits, silence, missing and late answers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from manifests.errors import MachineError
from orchestrator.engines.base import Exit
from orchestrator.engines.slurm.client import SilentError
from tests.orchestrator.slurm.conftest import Cluster

Make = Callable[..., Cluster]


def options(job: dict[str, object]) -> dict[str, str]:
    found = job["options"]
    assert isinstance(found, dict)
    return found


def test_a_task_is_numbered_from_one_in_each_array_of_what_the_site_allows(
    make_cluster: Make,
) -> None:
    """The site caps the number itself, so an offset would be refused."""
    cluster = make_cluster(array=4)
    orders = [cluster.order(seed) for seed in range(7)]
    done = cluster.enqueue(*map(cluster.bundle, orders))
    assert [options(job)["array"] for job in cluster.site.jobs()] == ["1-3", "1-3", "1-1"]
    assert len(done.jobs) == 3 and done.left == []
    assert [cluster.handle(order).known["task"] for order in orders] == list("1231231")


def test_what_starts_from_others_waits_for_their_array(cluster: Cluster) -> None:
    parent = cluster.order(1)
    child = cluster.order(2, after=(parent.cell,))
    done = cluster.enqueue(cluster.bundle(parent), cluster.bundle(child, level=1))
    first, second = cluster.site.jobs()
    assert "dependency" not in options(first)
    assert options(second)["dependency"] == f"afterany:{first['job']}"
    assert done.jobs == [str(first["job"]), str(second["job"])]


def test_at_a_submit_limit_half_is_tried_and_the_rest_is_given_back(make_cluster: Make) -> None:
    cluster = make_cluster(submit_limit=3)
    bundles = [cluster.bundle(cluster.order(seed)) for seed in range(8)]
    done = cluster.enqueue(*bundles)
    assert [options(job)["array"] for job in cluster.site.jobs()] == ["1-2"]
    assert done.left == bundles[2:]
    assert "QOSMaxSubmitJobPerUserLimit" in done.why_left
    left = cluster.handle(bundles[2].jobs[0].order)
    assert cluster.engine.poll(left) == "ended"
    assert cluster.engine.collect(left) == Exit(0, lost="Slurm was never given its job")


def test_what_waits_for_a_cell_that_was_not_taken_is_not_taken(make_cluster: Make) -> None:
    cluster = make_cluster(submit_limit=1)
    parents = [cluster.order(1), cluster.order(2)]
    child = cluster.bundle(cluster.order(3, after=(parents[1].cell,)), level=1)
    done = cluster.enqueue(*map(cluster.bundle, parents), child)
    assert len(cluster.site.jobs()) == 1
    assert [one.jobs[0].order.cell for one in done.left] == [
        parents[1].cell, child.jobs[0].order.cell,
    ]  # fmt: skip


def test_a_silent_sbatch_that_was_heard_is_not_asked_again(make_cluster: Make) -> None:
    cluster = make_cluster(silent={"sbatch": 1})
    _, handle, job = cluster.one()
    assert len(cluster.site.calls("sbatch")) == 1
    assert job == str(cluster.site.jobs()[0]["job"])
    assert cluster.engine.poll(handle) == "queued"


def test_a_silent_sbatch_that_was_not_heard_is_asked_again(make_cluster: Make) -> None:
    cluster = make_cluster(silent={"sbatch": 2}, heard=False)
    cluster.one()
    assert len(cluster.site.calls("sbatch")) == 3 and len(cluster.site.jobs()) == 1


def test_one_that_stays_silent_is_an_error_and_the_cell_is_submitted_later(
    make_cluster: Make,
) -> None:
    cluster = make_cluster(silent={"sbatch": 9}, heard=False)
    order = cluster.order(0)
    with pytest.raises(SilentError, match=r"Slurm did not answer: .*Socket timed out"):
        cluster.engine.enqueue([cluster.bundle(order)], lambda line: None)
    handle = cluster.handle(order)
    assert not cluster.engine.attach(cluster.image, handle, order)
    assert cluster.engine.collect(handle).lost == "Slurm was never given its job"


def test_sbatch_that_prints_no_number_and_ends_with_0_is_an_error(make_cluster: Make) -> None:
    cluster = make_cluster(prints_nothing=1)
    with pytest.raises(MachineError, match="sbatch ended with status 0 and printed no number"):
        cluster.one()


def test_who_was_killed_before_sbatch_answered_finds_the_job_by_its_name(cluster: Cluster) -> None:
    order, handle, _ = cluster.one()
    (cluster.run / "slurm" / "1" / "job.txt").write_text("")
    again = type(cluster.engine)()
    assert again.attach(cluster.image, handle, order)
    assert again.standing(handle).words == "job 6000_1 (Priority)"


def test_while_slurm_is_down_nothing_counts_as_lost(cluster: Cluster) -> None:
    order, handle, _ = cluster.one()
    cluster.site.behave(down=True)
    again = cluster.engine
    assert again.standing(handle) == ("queued", "Slurm does not answer")
    assert again.attach(cluster.image, handle, order)


def test_without_accounting_squeue_alone_tells_an_end(make_cluster: Make) -> None:
    cluster = make_cluster(accounting=False)
    _, handle, job = cluster.one()
    cluster.site.set(job, 1, "NODE_FAIL")
    lost = "node n1 failed under its job 6000_1 (NODE_FAIL)"
    assert cluster.engine.collect(handle) == Exit(0, lost=lost)


def test_what_squeue_has_forgotten_the_accounting_of_another_day_tells(
    make_cluster: Make,
) -> None:
    cluster = make_cluster(forgets=True)
    order, handle, job = cluster.one()
    (order.folder / "begun.json").write_text(
        '{"handle":"","job":"6000_1","restarts":0,"node":"n1","place":0,'
        '"began_at":"2026-11-26T10:00:00+00:00"}'
    )
    cluster.site.set(job, 1, "OUT_OF_MEMORY")
    ended = cluster.engine.collect(handle)
    assert ended.oom
    assert ended.where == "Slurm ended its job 6000_1 at its memory limit (OUT_OF_MEMORY)"


def test_late_accounting_keeps_a_cell_waiting(make_cluster: Make) -> None:
    cluster = make_cluster(forgets=True, late_accounting=["6000"])
    _, handle, job = cluster.one()
    cluster.site.set(job, 1, "FAILED")
    assert cluster.engine.poll(handle) == "queued"


def test_what_nobody_knows_any_more_is_lost(make_cluster: Make) -> None:
    cluster = make_cluster(accounting=False)
    _, handle, job = cluster.one()
    cluster.site.set(job, 1, "")
    assert cluster.engine.poll(handle) == "ended"
    assert cluster.engine.collect(handle).lost == "Slurm knows nothing of its job any more"


def test_and_only_after_late_files_would_have_been_seen(make_cluster: Make) -> None:
    cluster = make_cluster(late_s=60, accounting=False)
    _, handle, job = cluster.one()
    cluster.site.set(job, 1, "COMPLETED")
    assert cluster.engine.standing(handle) == (
        "running", "its job has ended; its manifest is waited for",
    )  # fmt: skip


def test_a_node_that_failed_is_left_out_from_then_on(cluster: Cluster) -> None:
    _, handle, job = cluster.one(1)
    cluster.site.set(job, 1, "NODE_FAIL", node="n7")
    cluster.engine.collect(handle)
    _, _, job = cluster.one(2)
    assert "#SBATCH --exclude=n7\n" in cluster.site.script(job)


def test_scancel_is_given_array_and_task(cluster: Cluster) -> None:
    orders = [cluster.order(1), cluster.order(2)]
    cluster.enqueue(*map(cluster.bundle, orders))
    cluster.engine.cancel(cluster.handle(orders[1]), "cancelled", "no longer wanted")
    assert cluster.site.calls("scancel") == ["scancel 6000_2"]


def test_cells_take_at_most_three_calls_a_hundred(cluster: Cluster) -> None:
    before = len(cluster.site.calls())
    bundles = [cluster.bundle(cluster.order(seed)) for seed in range(100)]
    cluster.engine.enqueue(bundles, lambda line: None)
    assert len(cluster.site.calls()) - before <= 3
