"""What a run has come to: its plan, its manifests, and what follows from them and the paper."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from manifests.errors import InputError
from manifests.manifest import Manifest
from manifests.plan import Plan
from manifests.run_folder import Run
from papers.study import study_folder
from services.phrases import count
from services.runs import plan_of

if TYPE_CHECKING:
    from comparisons.best_batches import BestBatch
    from comparisons.comparison import Comparison
    from comparisons.decomposition import Explanation
    from comparisons.pareto import Network
    from comparisons.results import Evidence
    from orchestrator.running.request import Prepared


class Results(NamedTuple):
    """A run as it lies on disk. ``manifests`` are those of planned cells.

    ``warnings`` say what was left out of it, and why.
    """

    run: Run
    plan: Plan
    manifests: list[Manifest]
    warnings: list[str]


def read_results(run: Run, study: str = "") -> Results:
    """Raises InputError when the plan can't be used, or is of another study than the given one."""
    plan = plan_of(run)
    if study and plan.study != study:
        raise InputError(f"{run.id} is a run of {plan.study}, not of {study}")
    loaded = run.load()
    planned = {item.id for item in plan.cells}
    manifests = [manifest for manifest in loaded.manifests if manifest.id in planned]
    unplanned = count(len(loaded.manifests) - len(manifests), "manifest")
    left_out = f"{unplanned} of cells that the plan doesn't have: left out"
    warnings = loaded.warnings + [left_out] * (len(loaded.manifests) > len(manifests))
    return Results(run, plan, manifests, warnings)


def results_of(prepared: Prepared) -> Results:
    """What the cells of a request have come to so far."""
    loaded = prepared.run.load()
    return Results(prepared.run, prepared.plan, loaded.manifests, loaded.warnings)


def compare_with_paper(results: Results, table: str = "") -> list[Comparison]:
    """The paper's tables (or one) beside what the run measured."""
    from comparisons.comparison import choose_table, compare_tables
    from papers.paper import find_paper

    published = find_paper(results.plan.study).tables
    comparisons = compare_tables(published, results.plan, results.manifests, results.run.id)
    return choose_table(comparisons, table)


def judge_claims(results: Results, claim: str = "") -> Evidence:
    """Tables and verdicts, of one claim where it is named."""
    from comparisons.results import gather

    folder = study_folder(results.plan.study)
    return gather(folder, results.plan, results.manifests, results.run.id, claim)


def judge_published(study: str, claim: str = "") -> Evidence:
    """Verdicts on the paper's own numbers; needs no run."""
    from comparisons.results import gather

    return gather(study_folder(study), claim=claim)


def explain_speedups(results: Results) -> list[Explanation]:
    """What the run measured, taken apart."""
    from comparisons.decomposition import explain_measured
    from comparisons.points import Points
    from papers.paper import find_paper

    points = Points(results.plan.cells, results.manifests)
    return explain_measured(results.plan, points, find_paper(results.plan.study).ladders)


def best_batch_sizes(results: Results, limit_ms: float | None = None) -> list[BestBatch]:
    """The batch size to choose, for each way to call a model."""
    from comparisons.best_batches import best_batches
    from comparisons.points import Points

    return best_batches(Points(results.plan.cells, results.manifests), limit_ms)


def pareto_networks(results: Results) -> list[Network]:
    """Accuracy or fidelity against latency, for each network, batch size and quality."""
    from comparisons.points import Points
    from comparisons.ways_to_run import networks

    return networks(Points(results.plan.cells, results.manifests))


def without_ladder(results: Results) -> list[str]:
    """A line for each framework with techniques that no ladder has, and so no speedup."""
    from comparisons.decomposition import without_ladder
    from papers.paper import find_paper

    found = without_ladder(results.plan, find_paper(results.plan.study).ladders)
    return [
        f"{framework}: no ladder says what {', '.join(techniques)} stand on. "
        "Give [[ladder]] in study.toml"
        for framework, techniques in found.items()
    ]


def published_speedups(study: str) -> list[Explanation]:
    """What the paper's own numbers say, taken apart."""
    from comparisons.decomposition import explain_published
    from papers.paper import find_paper

    paper = find_paper(study)
    return explain_published(paper.tables, paper.ladders)


def environment_lines(results: Sequence[Results]) -> list[str]:
    """Where each of the runs was measured."""
    from comparisons.comparison import describe_environments

    return [line for each in results for line in describe_environments(each.manifests)]
