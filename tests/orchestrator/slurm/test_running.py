"""``repliquant run`` through a queue: returns, goes on, submits what is missing, never twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from manifests.plan import PlannedCell
from tests.conftest import Workshop
from tests.fakes.slurm import Site
from tests.fakes.studies import write_study
from tests.orchestrator.reading import TITLES, attempts_aside, ids, statuses, the_run

pytestmark = [pytest.mark.cells, pytest.mark.unsampled]


class Submitting:
    """A workshop at a site."""

    def __init__(self, workshop: Workshop, folder: Path) -> None:
        self.workshop = workshop
        self.site = Site(folder)
        (workshop.folder / "repliquant.toml").write_text(
            "[slurm]\nlate_s = 0\npoll_s = 0\npause_s = 0.01\n"
        )
        workshop.environment.update(self.site.environment)
        self.site.more = workshop.environment

    def run(self, *arguments: str, status: int = 0) -> str:
        done = self.workshop("run", "toy", "--engine", "fake-slurm", *arguments, status=status)
        return done.stderr

    def status(self) -> list[dict[str, str]]:
        done = self.workshop("status", str(the_run(self.workshop).folder), "--json")
        found: list[dict[str, str]] = json.loads(done.stdout)
        return found

    def end_all(self) -> None:
        """Every job as on a node, in their order."""
        for job in self.site.jobs():
            self.site.run(str(job["job"]), 1)


@pytest.fixture
def submitting(workshop: Workshop, tmp_path: Path) -> Submitting:
    return Submitting(workshop, tmp_path / "site")


def test_it_returns_when_all_is_submitted_and_collects_later(submitting: Submitting) -> None:
    told = submitting.run()
    assert "6 cells submitted: 2 jobs (6000, 11000)" in told
    assert "6 cells in the queue or running" in told
    assert [row["status"] for row in submitting.status()] == ["queued"] * 6
    submitting.end_all()
    assert [row["status"] for row in submitting.status()] == ["ok"] * 6
    assert "0 cells executed; of 6: 6 ok" in submitting.run()
    assert len(submitting.site.jobs()) == 2


def test_the_same_command_submits_nothing_twice(submitting: Submitting) -> None:
    submitting.run()
    submitting.run()
    assert len(submitting.site.jobs()) == 2
    submitting.end_all()
    executed = submitting.workshop.executed()
    assert sorted(executed) == sorted(ids(submitting.workshop).values())


def test_a_cell_that_was_lost_alone_is_submitted_again_with_the_reason(
    submitting: Submitting,
) -> None:
    submitting.run("-k", "alpha and train")
    submitting.site.set("6000", 1, "NODE_FAIL")
    submitting.run("-k", "alpha and train")
    submitting.site.run("11000", 1)
    assert attempts_aside(submitting.workshop) == []  # it was never begun
    cell = ids(submitting.workshop)[TITLES[0]]
    manifest = the_run(submitting.workshop).manifest(cell)
    assert manifest is not None and manifest.context is not None
    assert manifest.context.why_again == "node n1 failed under its job 6000_1 (NODE_FAIL)"
    assert manifest.context.attempt == 1


def test_what_a_failed_cell_starts_others_from_is_recorded_on_the_node(
    submitting: Submitting,
) -> None:
    folder = submitting.workshop.folder / "studies" / "toy" / "study.toml"
    folder.write_text(folder.read_text().replace('behave = "ok"', 'behave = "crash"', 1))
    submitting.run("-k", "alpha")
    submitting.end_all()
    rows = {row["what"]: row for row in submitting.status()}
    assert rows[TITLES[0]]["status"] == "crashed"
    assert rows[TITLES[2]]["status"] == "unsupported"
    assert rows[TITLES[2]]["reason"].endswith("which is crashed")


def test_status_says_begun_where_slurm_does_not_answer(submitting: Submitting) -> None:
    submitting.run()
    submitting.site.behave(down=True)
    assert {(row["status"], row["reason"]) for row in submitting.status()} == {
        ("queued", "Slurm does not answer")
    }


def test_a_quadruple_is_one_job_in_the_order_of_the_plan(submitting: Submitting) -> None:
    write_study(submitting.workshop.folder, repeats=4)
    submitting.run("--repeats", "4", "-k", "infer")
    plan = the_run(submitting.workshop).plan()
    lines = [
        [one["cell"] for one in json.loads(line)["cells"]]
        for path in sorted(the_run(submitting.workshop).folder.glob("slurm/*/bundles.jsonl"))
        for line in path.read_text().splitlines()
    ]

    def of(task: str, repeats: tuple[int, ...]) -> list[str]:
        def wanted(one: PlannedCell) -> bool:
            return one.cell.task == task and one.cell.repeat in repeats

        return [one.id for one in plan.cells if wanted(one)]

    # All are short: what infers shares a job, one quadruple after the other.
    assert lines == [of("train", (0,)), [*of("infer", (0, 1)), *of("infer", (2, 3))]]


def test_processors_are_the_schedulers_to_give(submitting: Submitting) -> None:
    told = submitting.run("--cpus", "0", status=2)
    assert "--cpus: the engine fake-slurm takes processors as its scheduler gives them" in told


def test_a_budget_has_to_be_waited_for(submitting: Submitting) -> None:
    told = submitting.run("--budget", "1m", status=2)
    assert "--budget measures again by what was measured" in told
    assert submitting.site.jobs() == []


def test_a_setting_that_nobody_knows_is_refused_with_the_nearest(submitting: Submitting) -> None:
    told = submitting.run("--slurm", "partitoin=long", status=2)
    assert "Did you mean 'partition'?" in told


def test_settings_of_the_command_line_reach_the_script(submitting: Submitting) -> None:
    submitting.run("--slurm", "account=phys", "--slurm", "extra=--mail-type=END;--nice=5")
    script = submitting.site.script("6000")
    for line in ("--account=phys", "--mail-type=END", "--nice=5", "--exclusive", "--requeue"):
        assert f"#SBATCH {line}\n" in script
    assert statuses(submitting.workshop) == ["-"] * 6
