"""What a person wants run, and the cells that this means: those of a claim, or a sample."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypedDict

from manifests.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from manifests.cell import Protocol
    from orchestrator.running.request import Request


class PlanChoices(TypedDict):
    """What decides which cells a run has and where they would run, by the names of the options."""

    tier: str
    protocol: Protocol | None
    dataset: str | None
    data_dir: Path | None
    experiment: tuple[str, ...]
    expression: str
    run_dir: Path | None
    engine: str
    python: Path | None
    threads: int
    repeats: int
    budget_s: float | None


class RunChoices(PlanChoices):
    """And what cells may use, and which of them are wanted."""

    cpus: tuple[int, ...]
    gpus: tuple[str, ...] | None
    memory_bytes: int | None
    wait_quiet_s: float
    claim: str
    sample: bool


class RunOptions(NamedTuple):
    """A request, and what chooses among its cells.

    ``claim`` is the number (C2) or the id of one, "" for none; ``sample`` takes only the
    quickest cell of each environment.
    """

    request: Request
    claim: str = ""
    sample: bool = False


def options_of(study: str, choices: RunChoices, rerun: tuple[str, ...] = ()) -> RunOptions:
    """From what ``repliquant run`` takes."""
    from orchestrator.running.request import Request

    request = Request(
        study=study,
        tier=choices["tier"],
        protocol=choices["protocol"],
        dataset=choices["dataset"],
        data_dir=choices["data_dir"],
        expression=choices["expression"],
        engine=choices["engine"],
        run_dir=choices["run_dir"],
        rerun=rerun,
        threads=choices["threads"],
        cpus=choices["cpus"],
        gpus=choices["gpus"],
        memory_bytes=choices["memory_bytes"],
        python=choices["python"],
        repeats=choices["repeats"],
        budget_s=choices["budget_s"],
        experiment=choices["experiment"],
        wait_quiet_s=choices["wait_quiet_s"],
    )
    return RunOptions(request, choices["claim"], choices["sample"])


def narrowed(options: RunOptions) -> Request:
    """The request whose expression chooses just the cells that are meant. Raises InputError."""
    request = options.request
    if options.claim:
        request = _of_experiment(options.claim, request)
        request = request._replace(expression=_cells_of(options.claim, request))
    if options.sample:
        request = request._replace(expression=_quickest(request))
    return request


def _of_experiment(claim: str, request: Request) -> Request:
    """With the experiments that the claim, or its stand-in, is about."""
    from papers.claims import choose_claims
    from papers.expressions import columns_used
    from papers.paper import find_paper
    from papers.study import DEFAULT

    paper = find_paper(request.study)
    (found,) = choose_claims(paper.claims.claim, claim)
    tables = {table.file.id: table.file for table in paper.tables}
    places = [place for test in found.claim.tests.values() for place in columns_used(test)]
    named = {found.claim.table, *(place.table for place in places)}
    wanted = {table.experiment for name, table in tables.items() if name in named} - {""}
    asked = request.experiment or (DEFAULT,)
    more = sorted(wanted.difference(asked))
    return request._replace(experiment=(*asked, *more)) if more else request


def _cells_of(claim: str, request: Request) -> str:
    """What chooses the cells behind a claim, and of those what ``-k`` chooses."""
    from comparisons.results import gather
    from orchestrator.running.request import prepare
    from papers.study import study_folder

    prepared = prepare(request._replace(expression=""))
    (judged,) = gather(study_folder(request.study), prepared.plan, claim=claim).claims
    if not judged.cells:
        why = judged.claim.untestable or "its tests name no cell of this tier"
        raise InputError(f"claim {judged.number} ({judged.claim.id}) has nothing to run: {why}")
    given = f"({request.expression}) and " if request.expression else ""
    return f"{given}id={','.join(judged.cells)}"


def _quickest(request: Request) -> str:
    """What chooses, for each image, the cell that takes least with all it starts from."""
    from orchestrator.running.request import prepare

    planned = {item.id: item for item in prepare(request).chosen if not item.skip}
    whole: dict[str, float] = {}
    for item in planned.values():  # a plan lists a cell after the one it starts from
        whole[item.id] = item.estimate_s + sum(whole.get(need, 0.0) for need in item.needs)
    best: dict[str, str] = {}
    for item in planned.values():
        if item.image not in best or whole[item.id] < whole[best[item.image]]:
            best[item.image] = item.id
    if not best:
        raise InputError("no cell of this study can run here. See: repliquant doctor")
    return f"id={','.join(best.values())}"
