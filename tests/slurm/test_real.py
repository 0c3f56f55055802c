"""On a real Slurm of two nodes (just slurm-up): cells of the toy study, and what befalls them."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator

import pytest

from manifests.manifest import Manifest
from tests.conftest import Workshop
from tests.fakes.groups import group, limit_memory
from tests.fakes.studies import write_study
from tests.orchestrator.reading import TITLES, earlier, ids, manifests, statuses, wait_until

pytestmark = [pytest.mark.slurm, pytest.mark.unsampled]
_LONG_S = 120.0


def ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30).stdout


@pytest.fixture
def site(workshop: Workshop) -> Iterator[Workshop]:
    """A workshop whose jobs are gone afterwards."""
    if shutil.which("sbatch") is None or "rq2" not in ask("sinfo", "--noheader", "--Node"):
        pytest.skip("there is no Slurm of the tests here (just slurm-up)")
    (workshop.folder / "repliquant.toml").write_text("[slurm]\nlate_s = 3\npoll_s = 1\n")
    yield workshop
    for text in workshop.runs.glob("*/slurm/*/job.txt"):
        ask("scancel", text.read_text().strip())


def run(site: Workshop, *arguments: str) -> str:
    return site("run", "toy", "--engine", "fake-slurm", *arguments).stderr


def first_runs(site: Workshop) -> str:
    """The task that has begun the first cell."""
    wait_until(site.executed, "no cell was begun", _LONG_S)
    return ask("squeue", "--noheader", "--array", "--states=R", "--format=%F_%K").split()[0]


def allocation_of(manifest: Manifest) -> tuple[str, int, bool]:
    assert manifest.context is not None and manifest.context.allocation is not None
    found = manifest.context.allocation
    return found.node, found.restarts, found.exclusive


def test_a_study_runs_and_each_manifest_says_on_which_node(site: Workshop) -> None:
    run(site, "--wait")
    assert statuses(site) == ["ok"] * 6
    places = {allocation_of(one) for one in manifests(site).values()}
    assert places <= {("rq1", 0, True), ("rq2", 0, True)}
    assert sorted(site.executed()) == sorted(ids(site).values())


def test_nobody_has_to_stay(site: Workshop) -> None:
    process = subprocess.Popen(
        site.command("run", "toy", "--engine", "fake-slurm", "--wait"), cwd=site.folder,
        env=site.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    wait_until(site.executed, "no cell was begun", _LONG_S)
    process.kill()
    process.wait()
    wait_until(lambda: len(site.manifests()) == 6, "the cells did not go on", _LONG_S)
    assert "0 cells executed; of 6: 6 ok" in run(site)
    assert len(site.executed()) == 6


def test_one_that_is_cancelled_in_slurm_is_cancelled_and_run_again(site: Workshop) -> None:
    write_study(site.folder, seconds=5)
    run(site, "-k", "alpha and train")
    ask("scancel", first_runs(site))
    wait_until(site.manifests, "no manifest was sealed", _LONG_S)
    wait_until(lambda: not ask("squeue", "--noheader"), "its job does not end", _LONG_S)
    run(site, "-k", "alpha and train", "--wait")
    assert earlier(site, TITLES[0]).status == "cancelled"
    assert statuses(site)[0] == "ok" and len(site.executed()) == 2


def test_one_that_is_requeued_starts_anew(site: Workshop) -> None:
    """Slurm waits two minutes before it begins such a job again, unless it is released."""
    write_study(site.folder, seconds=5)
    run(site, "-k", "alpha and train")
    task = first_runs(site)
    ask("scontrol", "requeue", task)
    waits = ("squeue", "--noheader", "--array", "--states=PD", "--format=%F_%K")
    wait_until(lambda: task in ask(*waits), "its job is not requeued", _LONG_S)
    ask("scontrol", "update", f"jobid={task}", f"starttime={time.strftime('%Y-%m-%dT%H:%M:%S')}")
    told = run(site, "-k", "alpha and train", "--wait")
    assert "submitted" not in told
    again = manifests(site)[TITLES[0]]
    assert again.status == "ok" and allocation_of(again)[1] == 1
    assert earlier(site, TITLES[0]).status == "cancelled"


def test_a_jobs_memory_limit_ends_its_cell_as_oom(site: Workshop) -> None:
    """Slurm enforces none here (task/none): a group made by hand is what task/cgroup makes."""
    write_study(site.folder, behave="grow", batch_sizes=[1])
    with group("memory") as made:
        limit_memory(made, 400 * 2**20)
        settings = site.folder / "repliquant.toml"
        enter = f"echo $$ > {made.folder}/cgroup.procs"
        settings.write_text(settings.read_text() + f'lines = ["{enter}"]\n')
        site("run", "toy", "--engine", "fake-slurm", "-k", "alpha and infer", "--wait", status=1)
    found = manifests(site)[TITLES[2]]
    assert (found.status, found.transient) == ("oom", False)
    assert found.reason == (
        "the kernel ended it: its control group ran out of its memory of 400 MiB"
    )
